import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { parseDigest } from '../../../src/oci/index.ts';
import type { DiskDraft, MadeDisk } from '../../../src/store/index.ts';
import { layerName, openStore, type Store } from '../../../src/store/index.ts';

let base = '';
let store: Store;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'rkt-disks-'));
  store = openStore(base);
  store.prepare();
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

async function keptLayer(digit: string): Promise<string> {
  const digest = parseDigest(`sha256:${digit.repeat(64)}`);
  using draft = store.draftLayer();
  writeFileSync(join(draft.rootfs, 'file'), digit);
  await store.keepLayer(draft, digest, 1);
  return layerName(digest);
}

const MADE = {
  digest: 'sha256:of-it',
  seal: { blocks: 1, salt: '0'.repeat(64), rootHash: 'f'.repeat(64) },
};
const make = async ({ image, layers }: DiskDraft) => {
  await new Promise((resolve) => setTimeout(resolve, 20));
  writeFileSync(image, layers.map((root) => readFileSync(join(root, 'file'), 'utf8')).join());
  return MADE;
};
const left = () => readdirSync(join(base, 'cas/tmp'));

it('makes an image once, whoever asks meanwhile, and finds it then', async () => {
  const layer = await keptLayer('a');
  let count = 0;
  const counted = (draft: DiskDraft) => {
    count += 1;
    return make(draft);
  };
  const paths = await Promise.all([1, 2, 3].map(() => store.diskImages.ensure([layer], counted, undefined)));
  expect(new Set(paths.map(({ path }) => path)).size).toBe(1);
  expect(count).toBe(1);
  expect(store.diskImages.find([layer])).toEqual({ path: paths[0]?.path, seal: MADE.seal });
  expect(readFileSync(paths[0]?.path ?? '', 'utf8')).toBe('a');
  expect(left()).toEqual([]);
});

it('has another one of a chain of layers, in the directory of the uppermost', async () => {
  const layers = [await keptLayer('a'), await keptLayer('b')];
  const { path } = await store.diskImages.ensure(layers, make, undefined);
  expect(readFileSync(path, 'utf8')).toBe('a,b');
  expect(path.startsWith(join(store.layerDirectory, layers[1] ?? ''))).toBe(true);
  expect(store.diskImages.find(layers.slice(1))).toBeUndefined();
  expect(store.diskImages.find(layers.toReversed())).toBeUndefined();
  expect(store.diskImages.of(layers[1] ?? '').map(({ digest }) => digest)).toEqual(['sha256:of-it']);
});

it('keeps nothing of one whose maker fails', async () => {
  const layer = await keptLayer('a');
  const failing = async ({ image }: DiskDraft): Promise<MadeDisk> => {
    writeFileSync(image, 'half');
    throw new Error('no space');
  };
  await expect(store.diskImages.ensure([layer], failing, undefined)).rejects.toThrow('no space');
  expect(store.diskImages.find([layer])).toBeUndefined();
  expect(left()).toEqual([]);
});

it('takes what a killed maker has left for nothing, and clears it', async () => {
  const layer = await keptLayer('a');
  mkdirSync(join(base, 'cas/tmp/layer-killed/disk'), { recursive: true });
  writeFileSync(join(base, 'cas/tmp/layer-killed/disk/image.erofs'), 'half');
  await store.diskImages.ensure([layer], make, undefined);
  expect(left()).toEqual([]);
});

it('forgets one that is removed', async () => {
  const layer = await keptLayer('a');
  await store.diskImages.ensure([layer], make, undefined);
  for (const disk of store.diskImages.of(layer)) disk.remove();
  expect(store.diskImages.find([layer])).toBeUndefined();
});

it('makes one anew of which nothing says what is to be read of it', async () => {
  const layer = await keptLayer('a');
  const { path } = await store.diskImages.ensure([layer], make, undefined);
  writeFileSync(join(path, '../digest'), 'sha256:of-another\n1\n');
  writeFileSync(path, 'of an earlier version');
  expect(store.diskImages.find([layer])).toBeUndefined();
  expect((await store.diskImages.ensure([layer], make, undefined)).path).toBe(path);
  expect(readFileSync(path, 'utf8')).toBe('a');
  expect(store.diskImages.find([layer])?.seal).toEqual(MADE.seal);
});
