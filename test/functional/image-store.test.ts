import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ImageEvent } from '../../src/image/index.ts';
import { openStore, type Store } from '../../src/store/index.ts';
import { fetchLocal } from '../support/fetch.ts';
import { aci, writeLayout } from '../support/image-files.ts';
import { storeFiles } from '../support/store-files.ts';
import * as tar from '../support/tar-archive.ts';
import { treeListing } from '../support/tree-listing.ts';

// The store when it is used twice, at once, and by those that are killed.

const IMPORTER = fileURLToPath(new URL('../support/import-image.ts', import.meta.url));

let base = '';
let store: Store;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'rkt-store-'));
  store = openStore(join(base, 'data'));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const at = (...path: string[]) => join(base, ...path);
const names = (directory: string) =>
  existsSync(at('data/cas', directory)) ? readdirSync(at('data/cas', directory)) : [];

async function load(text: string, events: ImageEvent[] = []) {
  const report = (event: ImageEvent) => void events.push(event);
  return fetchLocal(store, text, base, { report });
}

function importElsewhere(text: string): ChildProcess {
  return spawn(process.execPath, ['--import', 'tsx', IMPORTER, at('data'), text], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

function manyFiles(count: number): Buffer {
  return aci(...Array.from({ length: count }, (_, n) => tar.file(`rootfs/${n}`, Buffer.alloc(20_000, n))));
}

test('a file is read once, until it changes or its layer is lost', async () => {
  writeFileSync(at('image.aci'), manyFiles(3));
  const wasRead = async () => {
    const events: ImageEvent[] = [];
    const { id } = await load(at('image.aci'), events);
    return { id, read: events.some(({ kind }) => kind === 'layer-progress') };
  };
  const first = await wasRead();
  expect([first.read, (await wasRead()).read]).toEqual([true, false]);
  expect(await load(first.id.slice(0, 20))).toMatchObject({ id: first.id, source: at('image.aci') });

  appendFileSync(at('image.aci'), Buffer.alloc(512));
  expect(await wasRead()).toMatchObject({ read: true });
  // Another file of the same size in its place, as a build would make it.
  const [size, { id }] = [statSync(at('image.aci')).size, await wasRead()];
  writeFileSync(
    at('other.aci'),
    Buffer.concat([aci(tar.file('rootfs/other', 'x')), Buffer.alloc(size)]).subarray(0, size),
  );
  renameSync(at('other.aci'), at('image.aci'));
  const third = await wasRead();
  expect([third.read, third.id === id]).toEqual([true, false]);

  for (const layer of names('layer')) rmSync(join(store.layerDirectory, layer), { recursive: true });
  // It is made anew from what was fetched; with that lost too, from the file.
  expect(await wasRead()).toEqual({ id: third.id, read: true });
  for (const blob of names('blob/sha512')) rmSync(at('data/cas/blob/sha512', blob));
  rmSync(join(store.layerDirectory, names('layer')[0] ?? ''), { recursive: true });
  await expect(load(third.id)).rejects.toMatchObject({ code: 'not-found' });
  expect(await wasRead()).toEqual({ id: third.id, read: true });
});

test('an image without a verified signature needs the option', async () => {
  writeFileSync(at('image.aci'), manyFiles(1));
  await expect(fetchLocal(store, at('image.aci'), base, {}, [])).rejects.toMatchObject({
    code: 'unverified',
  });
  expect(storeFiles(at('data'))).toEqual([]);
});

test('two that import one image at once make it once, and both have it', async () => {
  const layers = [manyFiles(300), tar.archive(tar.file('upper', 'x'))].map((bytes) => ({
    tar: bytes,
    compress: 'none' as const,
  }));
  const reference = writeLayout(at('layout'), layers);
  const children = Array.from({ length: 4 }, () => importElsewhere(reference));
  const exits = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0]));
  expect(exits).toEqual([0, 0, 0, 0]);
  expect([names('layer').length, names('image').length, names('tmp')]).toEqual([2, 1, []]);
});

test('an importer that is killed leaves nothing that counts, and the next cleans up', async () => {
  const reference = writeLayout(at('layout'), [{ tar: manyFiles(1500), compress: 'none' }]);
  let cutShort = 0;
  for (let round = 0; round < 6; round++) {
    const child = importElsewhere(reference);
    const ended = once(child, 'exit');
    while (names('tmp').length === 0 && child.exitCode === null) await delay(2);
    await delay(round * 25);
    child.kill('SIGKILL');
    await ended;
    if (names('image').length === 0) cutShort += 1;
    for (const layer of names('layer'))
      expect(readFileSync(at('data/cas/layer', layer, 'digest'), 'utf8')).toMatch(/^sha256:\w{64}\n/);
    expect(names('tmp').length).toBeLessThanOrEqual(1);
    rmSync(at('data/cas/image'), { recursive: true, force: true });
    rmSync(at('data/cas/layer'), { recursive: true, force: true });
  }
  expect(cutShort).toBeGreaterThan(0);
  const record = await load(reference);
  expect(names('tmp')).toEqual([]);
  cpSync(at('layout'), at('copy'), { recursive: true });
  const fresh = openStore(at('fresh'));
  const again = await fetchLocal(fresh, `oci:${at('copy')}:latest`, base);
  const tree = (of: Store) => record.layers.map((layer) => treeListing(of.layerPath(layer)));
  expect([again.id, tree(fresh)]).toEqual([record.id, tree(store)]);
});
