import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Host, openHost } from '../../src/stage0/host.ts';
import { ImageSession } from '../../src/stage0/image-session.ts';
import { resolveStage1, type Stage1Choice } from '../../src/stage0/stage1-image.ts';
import { type ImageRecord, openStore, type Store } from '../../src/store/index.ts';
import { fetchLocal } from '../support/fetch.ts';
import { ACI_MANIFEST } from '../support/image-files.ts';
import * as tar from '../support/tar-archive.ts';

const NAME = 'coreos.com/rkt/stage1-kvm';
const ANNOTATIONS = [
  { name: 'coreos.com/rkt/stage1/interface-version', value: '6' },
  { name: 'coreos.com/rkt/stage1/run', value: '/run' },
];

let root = '';
let store: Store;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'rkt-stage1-'));
  for (const name of ['data', 'images', 'etc/paths.d']) mkdirSync(at(name), { recursive: true });
  configure('paths', { 'stage1-images': at('images') });
  store = openStore(at('data'));
});
afterEach(() => rmSync(root, { recursive: true }));

const at = (name: string) => join(root, name);

function configure(kind: string, fields: Readonly<Record<string, string>>): void {
  mkdirSync(at(`etc/${kind}.d`), { recursive: true });
  const entry = { rktKind: kind, rktVersion: 'v1', ...fields };
  writeFileSync(at(`etc/${kind}.d/${kind}.json`), JSON.stringify(entry));
}

/** An image that says of itself that it is a stage1; `mark` makes its content, and so its id, its own. */
function makeAci(path: string, mark: string, name = NAME): string {
  const manifest = JSON.stringify({ ...ACI_MANIFEST, name, annotations: ANNOTATIONS });
  const root = [tar.directory('rootfs'), tar.file('rootfs/run', mark, { mode: 0o755 })];
  writeFileSync(at(path), tar.archive(tar.file('manifest', manifest), ...root));
  return at(path);
}

const host = (): Host =>
  openHost({
    dataDirectory: at('data'),
    systemConfig: at('none'),
    localConfig: at('etc'),
    insecure: new Set(['image'] as const),
    debug: false,
  });
const resolveChoice = async (choice: Stage1Choice): Promise<ImageRecord> => {
  await using session = new ImageSession(host(), { report: () => {} });
  return await resolveStage1(host(), session, choice);
};
const runAsApp = (path: string): Promise<ImageRecord> => fetchLocal(store, path, root);
const given = (path: string) => resolveChoice({ kind: 'path', path });
const named = (name = NAME) => resolveChoice({ kind: 'name', name });
const hashed = (hash: string) => resolveChoice({ kind: 'hash', hash });
const refused = expect.objectContaining({ code: 'bad-stage1' });

describe("an app's image that calls itself the stage1", () => {
  test('is not found by name, by hash, or by the configuration', async () => {
    const evil = await runAsApp(makeAci('evil.aci', 'evil'));
    await expect(named()).rejects.toEqual(refused);
    await expect(hashed(evil.id)).rejects.toEqual(refused);
    configure('stage1', { name: NAME, version: '1' });
    makeAci('images/stage1-kvm.aci', 'genuine');
    expect((await resolveChoice({ kind: 'default' })).id).not.toBe(evil.id);
  });

  test('does not stand before a stage1 that was given earlier, nor before the file', async () => {
    const genuine = await given(makeAci('genuine.aci', 'genuine'));
    await runAsApp(makeAci('evil.aci', 'evil'));
    expect((await named()).id).toBe(genuine.id);
    makeAci('images/stage1-kvm.aci', 'of the directory');
    const ours = await named();
    expect(ours.id).not.toBe(genuine.id);
    expect(ours.source).toBe(at('images/stage1-kvm.aci'));
  });

  test('becomes one when the operator gives it', async () => {
    const path = makeAci('image.aci', 'both');
    const { id } = await runAsApp(path);
    expect((await given(path)).id).toBe(id);
    expect([(await named()).id, (await hashed(id)).id, (await runAsApp(path)).isStage1]).toEqual([
      id,
      id,
      true,
    ]);
  });
});

test('a stage1 is found by its hash in short, and by name and version', async () => {
  const { id } = await given(makeAci('genuine.aci', 'genuine'));
  expect((await hashed(id.slice(0, 20))).id).toBe(id);
  await expect(named(`${NAME}:2.0`)).rejects.toEqual(refused);
});

test('--stage1-hash takes no file, which nobody has verified', async () => {
  await expect(hashed(makeAci('file.aci', 'file'))).rejects.toThrow('no image IDs found');
});

test('a file of the directory that is another image gives way to the store', async () => {
  const { id } = await given(makeAci('genuine.aci', 'genuine'));
  makeAci('images/stage1-kvm.aci', 'other', 'example.com/other');
  expect((await named()).id).toBe(id);
  copyFileSync(at('genuine.aci'), at('images/copy.aci'));
  expect((await resolveChoice({ kind: 'from-dir', file: 'copy.aci' })).id).toBe(id);
});
