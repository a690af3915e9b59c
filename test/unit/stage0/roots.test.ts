import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { blankApp, blankImageManifest, parseACIdentifier, parseImageID } from '../../../src/appc/index.ts';
import { parseDigest } from '../../../src/oci/index.ts';
import { ensurePodsDirectory } from '../../../src/pod/directory.ts';
import { createPod, type Pod } from '../../../src/pod/pod.ts';
import { openHost } from '../../../src/stage0/host.ts';
import { podApp, podEnvironment } from '../../../src/stage0/pod-request.ts';
import { makeRoots, type RootKind } from '../../../src/stage0/roots.ts';
import { type ImageRecord, openStore, type Store } from '../../../src/store/index.ts';

let data = '';
let store: Store;
let pod: Pod;
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'rkt-roots-'));
  store = openStore(data);
  store.prepare();
  pod = createPod(ensurePodsDirectory(data));
});
afterEach(() => {
  pod.lock.release();
  rmSync(data, { recursive: true });
});

/** An image of one layer, which `fill` is to make. */
async function image(digits: string, fill: (rootfs: string) => void): Promise<ImageRecord> {
  const digest = parseDigest(`sha256:${digits.padEnd(64, '0')}`);
  using draft = store.draftLayer();
  chmodSync(draft.rootfs, 0o755);
  fill(draft.rootfs);
  await store.keepLayer(draft, digest, 1);
  const named = blankImageManifest(parseACIdentifier('example.com/app'));
  const manifest = { ...named, app: { ...blankApp, exec: ['/su'] } };
  const id = parseImageID(`sha512-${digits.padEnd(64, '0')}`);
  const contents = [{ form: 'aci', blob: digest, diffID: digest, whitelists: [] }] as const;
  return store.put({ id, manifest, contents, layers: [digest], size: 1, source: 'x' });
}

const makeStage1 = () => image('aa', (root) => mkdirSync(join(root, 'opt/stage2'), { recursive: true }));
const makeApp = () => image('bb', (root) => setUserId(join(root, 'su')));

function setUserId(path: string): void {
  writeFileSync(path, '#!');
  chmodSync(path, 0o4755);
}

async function roots(stage1: ImageRecord, kind: RootKind): Promise<void> {
  const options = { dataDirectory: data, systemConfig: data, localConfig: data } as const;
  const host = openHost({ ...options, insecure: new Set(), debug: false });
  const request = { image: 'x', name: 'web', args: [], environment: [], readOnlyRootfs: false };
  const environment = podEnvironment({ inherit: undefined, files: [], set: [] });
  const apps = [podApp(request, await makeApp(), { environment })];
  await makeRoots(host, store, pod.path, { stage1, apps }, kind);
}

/** Set-user-id files below a directory to which only root has the way blocked if it is blocked at all. */
function setUserIds(directory: string, reach: 'root' | 'group'): string[] {
  return readdirSync(directory).flatMap((name) => {
    const path = join(directory, name);
    const stats = lstatSync(path);
    if (stats.isFile()) return (stats.mode & 0o4000) === 0 ? [] : [path];
    const isOpen = reach === 'root' || (stats.mode & 0o011) !== 0;
    return stats.isDirectory() && isOpen ? setUserIds(path, reach) : [];
  });
}

test('what a guest makes in an overlay is out of reach for the group that may read pods', async () => {
  await roots(await makeStage1(), 'overlay');
  const upper = join(pod.path, 'overlay', `sha512-${'bb'.padEnd(64, '0')}`, 'upper/web');
  setUserId(join(upper, 'made-by-the-guest'));
  expect(setUserIds(pod.path, 'root')).toEqual([join(upper, 'made-by-the-guest')]);
  expect(setUserIds(pod.path, 'group')).toEqual([]);
  expect(statSync(join(pod.path, 'overlay')).mode & 0o777).toBe(0o700);
});

test('so are the copies of --no-overlay', async () => {
  await roots(await makeStage1(), 'copy');
  expect(setUserIds(pod.path, 'root')).toHaveLength(1);
  expect(setUserIds(pod.path, 'group')).toEqual([]);
});

test("no link of a stage1's image makes the apps' roots go elsewhere", async () => {
  const elsewhere = join(data, 'elsewhere');
  mkdirSync(elsewhere, { mode: 0o755 });
  const stage1 = await image('cc', (root) => symlinkSync(elsewhere, join(root, 'opt')));
  await expect(roots(stage1, 'copy')).rejects.toThrow('opt');
  expect([statSync(elsewhere).mode & 0o777, existsSync(join(elsewhere, 'stage2'))]).toEqual([0o755, false]);
});
