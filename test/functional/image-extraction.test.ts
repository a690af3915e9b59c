import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ImageRecord, openStore, type Store } from '../../src/store/index.ts';
import { fetchLocal } from '../support/fetch.ts';
import { aci, sha256, writeLayout } from '../support/image-files.ts';
import { stackedTree } from '../support/image-tree.ts';
import { tinyImages } from '../support/images.ts';
import * as tar from '../support/tar-archive.ts';
import { tool } from '../support/tool.ts';
import { treeListing } from '../support/tree-listing.ts';

// As root: owners, devices, whiteouts. What other tools make of the same image is in image-comparison.test.ts.

let base = '';
let store: Store;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'rkt-image-'));
  store = openStore(join(base, 'data'));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const at = (...path: string[]) => join(base, ...path);
const load = (text: string): Promise<ImageRecord> => fetchLocal(store, text, base);

function rootOf(record: ImageRecord, layer = 0): string {
  const digest = record.layers[layer];
  if (digest === undefined) throw new Error(`image has no layer ${layer}`);
  return store.layerPath(digest);
}

/** What a pod would see of an image. */
const merged = (record: ImageRecord) => stackedTree(store, record);

test('the same image from a layout and from one file is extracted once', async () => {
  const { ociLayout, ociArchive } = await tinyImages();
  const record = await load(`oci:${ociLayout}:latest`);
  const layers = readdirSync(store.layerDirectory);
  const again = await load(`oci-archive:${ociArchive}:latest`);
  expect([again.id, again.layers]).toEqual([record.id, record.layers]);
  expect(readdirSync(store.layerDirectory)).toEqual(layers);
});

test('zstd and plain layers', async () => {
  const zstd = (bytes: Buffer) => ({
    blob: execFileSync('zstd', ['-qc'], { input: bytes }),
    suffix: '+zstd',
  });
  const lower = tar.archive(tar.directory('./'), tar.directory('d/'), tar.file('d/a', 'a'));
  const upper = tar.archive(tar.file('b', 'b'));
  const reference = writeLayout(at('layout'), [
    { tar: lower, compress: zstd },
    { tar: upper, compress: 'none' },
  ]);
  const record = await load(reference);
  expect(merged(record).map((line) => line.split(' ')[0])).toEqual(['.', 'b', 'd', 'd/a']);
});

describe('layers', () => {
  const lower = tar.archive(
    tar.directory('./'),
    tar.directory('kept/', { mode: 0o750, uid: 5, gid: 6 }),
    tar.file('kept/file', 'kept'),
    tar.directory('dir/'),
    tar.file('dir/old', 'old'),
    tar.file('gone', 'gone'),
    tar.symlink('lib', 'kept'),
  );

  test('whiteouts count for the layers below only, in any order', async () => {
    const upper = tar.archive(
      tar.directory('./'),
      tar.file('.wh.gone'),
      tar.file('dir/.wh..wh..opq'),
      tar.file('dir/new', 'new'),
      tar.file('own', 'own'),
      tar.file('.wh.own'),
      tar.file('.wh.kept'),
      tar.directory('kept/', { mode: 0o711 }),
      tar.file('kept/fresh', 'fresh'),
      tar.file('.wh..wh.plnk'),
    );
    const record = await load(writeLayout(at('layout'), [{ tar: lower }, { tar: upper }]));
    const names = merged(record).map((line) => line.split(' ').slice(0, 2).join(' '));
    expect(names).toEqual([
      '. 40755',
      'dir 40755',
      'dir/new 100644',
      'kept 40711',
      'kept/fresh 100644',
      'lib 120777',
      'own 100644',
    ]);
    const whiteout = lstatSync(join(rootOf(record, 1), 'gone'));
    expect([whiteout.isCharacterDevice(), whiteout.rdev]).toEqual([true, 0]);
  });

  test('a whiteout where nothing is below, or in what is hidden as a whole, is not seen itself', async () => {
    const upper = tar.archive(
      tar.directory('./'),
      tar.file('none/.wh.x'),
      tar.directory('fresh/'),
      tar.file('fresh/.wh.x'),
      tar.file('dir/sub/.wh.x'),
      tar.file('dir/.wh.old'),
      tar.file('dir/.wh..wh..opq'),
      tar.file('kept/.wh.file'),
      tar.file('.wh.kept'),
      tar.directory('gone/'),
      tar.file('gone/.wh.x'),
    );
    const record = await load(writeLayout(at('layout'), [{ tar: lower }, { tar: upper }]));
    expect(merged(record).map((line) => line.split(' ')[0])).toEqual(['.', 'dir', 'fresh', 'gone', 'lib']);
  });

  test('what a layer hides of those below can neither be linked to nor filled', async () => {
    const through = tar.archive(
      tar.directory('./'),
      tar.file('dir/.wh..wh..opq'),
      tar.hardlink('link', 'dir/old'),
    );
    const reference = writeLayout(at('layout'), [{ tar: lower }, { tar: through }]);
    await expect(load(reference)).rejects.toMatchObject({ code: 'hostile-entry' });
    const nested = tar.archive(tar.directory('./'), tar.directory('kept/sub/', { mode: 0o700 }));
    const upper = tar.archive(
      tar.directory('./'),
      tar.file('kept/.wh..wh..opq'),
      tar.file('kept/sub/.wh.x'),
      tar.file('kept/sub/f'),
    );
    const record = await load(writeLayout(at('second'), [{ tar: lower }, { tar: nested }, { tar: upper }]));
    expect(merged(record).find((line) => line.startsWith('kept/sub '))).toMatch(/^kept\/sub 40755/);
  });

  test('a directory in the place of a link or file is that directory alone', async () => {
    const upper = tar.archive(
      tar.directory('./'),
      tar.symlink('kept', base),
      tar.directory('kept/'),
      tar.file('kept/inside', 'x'),
      tar.file('dir', 'x'),
      tar.directory('dir/'),
    );
    const record = await load(writeLayout(at('layout'), [{ tar: lower }, { tar: upper }]));
    const names = merged(record).map((line) => line.split(' ')[0]);
    expect(names).toEqual(['.', 'dir', 'gone', 'kept', 'kept/inside', 'lib']);
    expect(existsSync(at('inside'))).toBe(false);
  });

  test('an opaque root hides all layers below', async () => {
    const upper = tar.archive(tar.directory('./'), tar.file('.wh..wh..opq'), tar.file('alone', 'x'));
    const record = await load(writeLayout(at('layout'), [{ tar: lower }, { tar: upper }]));
    expect(merged(record).map((line) => line.split(' ')[0])).toEqual(['.', 'alone']);
  });

  test('one that leaves out directories is made for its stack, others are shared', async () => {
    const partial = tar.archive(tar.file('lib/added', 'x'));
    const other = tar.archive(tar.directory('./'), tar.directory('lib/', { mode: 0o700 }));
    const first = await load(writeLayout(at('first'), [{ tar: lower }, { tar: partial }]));
    const second = await load(writeLayout(at('second'), [{ tar: other }, { tar: partial }]));
    const bare = tar.archive(tar.file('f', 'x'));
    const strict = tar.archive(tar.directory('./', { mode: 0o700 }));
    const fourth = await load(writeLayout(at('fourth'), [{ tar: lower }, { tar: bare }]));
    const fifth = await load(writeLayout(at('fifth'), [{ tar: strict }, { tar: bare }]));
    expect(fourth.layers[1]).not.toBe(fifth.layers[1]);
    expect([fourth, fifth].map((record) => merged(record)[0])).toEqual(['. 40755 0 0 0', '. 40700 0 0 0']);
    const third = await load(writeLayout(at('third'), [{ tar: lower }, { tar: other }]));
    expect(first.layers[1]).not.toBe(second.layers[1]);
    expect([third.layers[0], third.layers[1]]).toEqual([first.layers[0], second.layers[0]]);
    expect(statSync(join(rootOf(first, 1), 'kept'))).toMatchObject({ uid: 5, gid: 6 });
    expect(readFileSync(join(rootOf(first, 1), 'kept/added'), 'utf8')).toBe('x');
    expect(statSync(join(rootOf(second, 1), 'lib')).mode & 0o777).toBe(0o700);
  });
});

test('an ACI keeps owners, setuid, capabilities, attributes, devices', async () => {
  const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex');
  const image = aci(
    tar.pax([
      ['SCHILY.xattr.security.capability', capability],
      ['SCHILY.xattr.user.mark', 'm'],
      ['SCHILY.xattr.security.selinux', 'label'],
    ]),
    tar.file('rootfs/tool', 'x', { mode: 0o6755, uid: 1234, gid: 70_000 }),
    tar.entry({ name: 'rootfs/null', type: '3', mode: 0o666, major: 1, minor: 3, uid: 1, gid: 2 }),
    tar.entry({ name: 'rootfs/disk', type: '4', mode: 0o660, major: 259, minor: 70_000 }),
    tar.pax([
      ['uid', '3'],
      ['gid', '4'],
    ]),
    tar.symlink('rootfs/link', 'tool'),
    tar.file('rootfs/.wh.kept', 'no whiteout'),
  );
  writeFileSync(at('image.aci'), image);
  const root = rootOf(await load(at('image.aci')));
  expect(statSync(join(root, 'tool'))).toMatchObject({ uid: 1234, gid: 70_000, mode: 0o106755 });
  expect(await tool('getcap', [join(root, 'tool')])).toContain('cap_net_raw=ep');
  expect(treeListing(root).find((line) => line.startsWith('tool '))).toMatch(
    /security.capability=\S+ user.mark=6d$/,
  );
  expect(lstatSync(join(root, 'null'))).toMatchObject({ rdev: 0x103, uid: 1, gid: 2, mode: 0o20666 });
  expect(await tool('stat', ['-c', '%t %T', join(root, 'disk')])).toBe('103 11170\n');
  expect(lstatSync(join(root, 'link'))).toMatchObject({ uid: 3, gid: 4 });
  expect(readFileSync(join(root, '.wh.kept'), 'utf8')).toBe('no whiteout');
});

test('what GNU tar writes is what it was, sparse files in all its formats too', async () => {
  mkdirSync(at('tree/rootfs/dir'), { recursive: true });
  const long = `${'d'.repeat(120)}/${'f'.repeat(150)}`;
  mkdirSync(at('tree/rootfs', 'd'.repeat(120)));
  writeFileSync(at('tree/rootfs', long), 'long');
  await tool('sh', [
    '-ec',
    'cd "$0"; truncate -s 40M sparse; for i in $(seq 1 60); do printf x | dd of=sparse bs=1 seek=$((i*500000)) conv=notrunc status=none; done; ln sparse second; ln -s $(printf "t%.0s" $(seq 180)) link',
    at('tree/rootfs'),
  ]);
  writeFileSync(
    at('tree/manifest'),
    JSON.stringify({ acKind: 'ImageManifest', acVersion: '0.8.11', name: 'example.com/tar' }),
  );
  const wanted = treeListing(at('tree/rootfs'));
  for (const format of [
    ['--format=gnu'],
    ['--format=oldgnu'],
    ['--format=posix', '--sparse-version=0.0'],
    ['--format=posix', '--sparse-version=0.1'],
    ['--format=posix', '--sparse-version=1.0'],
  ]) {
    await tool('tar', [
      '-C',
      at('tree'),
      ...format,
      '--sparse',
      '-cf',
      at('image.aci'),
      'manifest',
      'rootfs',
    ]);
    const root = rootOf(await load(at('image.aci')));
    // The oldest formats hold whole seconds only.
    const seconds = (lines: string[]) => lines.map((line) => line.replace(/ (\d{10})\d{9}(?= |$)/, ' $1'));
    expect(seconds(treeListing(root)), format.join(' ')).toEqual(seconds(wanted));
    expect(statSync(join(root, 'sparse')).blocks).toBeLessThan(2000);
    for (const layer of readdirSync(store.layerDirectory))
      rmSync(join(store.layerDirectory, layer), { recursive: true });
  }
});

describe('on failure nothing is left', () => {
  const leftovers = () => ['tmp', 'layer', 'image'].flatMap((name) => readdirSync(at('data/cas', name)));

  test.each([
    ['an escape', () => aci(tar.file('rootfs/ok', 'x'), tar.file('rootfs/../../x', 'x')), 'hostile-entry'],
    ['a duplicate', () => aci(tar.file('rootfs/f', 'a'), tar.file('rootfs/f', 'b')), 'duplicate-entry'],
    ['a second manifest', () => aci(tar.file('manifest', '{}')), 'duplicate-entry'],
    ['a file beside the rootfs', () => aci(tar.file('other', 'x')), 'bad-layout'],
    ['no rootfs', () => tar.archive(tar.file('manifest', '{}')), 'bad-image'],
    ['no manifest', () => tar.archive(tar.directory('rootfs')), 'bad-layout'],
    [
      'a manifest that is a link',
      () => tar.archive(tar.symlink('manifest', '/etc/passwd'), tar.directory('rootfs')),
      'bad-layout',
    ],
    [
      'a truncated archive',
      () => aci(tar.file('rootfs/f', Buffer.alloc(5000))).subarray(0, 5000),
      'bad-image',
    ],
    ['a cut end', () => aci(tar.file('rootfs/f', 'x')).subarray(0, -1024), 'bad-image'],
    ['something behind the end', () => Buffer.concat([aci(), aci()]), 'bad-image'],
    ['a whiteout by device', () => aci(tar.entry({ name: 'rootfs/w', type: '3' })), 'hostile-entry'],
    [
      'an overlay mark',
      () => aci(tar.pax([['SCHILY.xattr.trusted.overlay.opaque', 'y']]), tar.directory('rootfs/d')),
      'hostile-entry',
    ],
    [
      'damaged gzip',
      () => Buffer.concat([execFileSync('gzip', { input: aci() }).subarray(0, 100), Buffer.alloc(100, 7)]),
      'decompression',
    ],
    ['cut gzip', () => execFileSync('gzip', { input: aci() }).subarray(0, -20), 'decompression'],
    ['cut xz', () => execFileSync('xz', { input: aci() }).subarray(0, -20), 'decompression'],
    ['cut bzip2', () => execFileSync('bzip2', { input: aci() }).subarray(0, -20), 'decompression'],
    ['cut zstd', () => execFileSync('zstd', ['-qc'], { input: aci() }).subarray(0, -20), 'decompression'],
  ])('%s', async (_, bytes, code) => {
    writeFileSync(at('image.aci'), bytes());
    const before = readdirSync(base).sort();
    await expect(load(at('image.aci'))).rejects.toMatchObject({ name: 'ImageError', code });
    expect(leftovers()).toEqual([]);
    expect(readdirSync(base).sort()).toEqual([...new Set([...before, 'data'])].sort());
  });

  test('a bomb is stopped before its time, a file of zeros is not one', async () => {
    const start = Buffer.concat([
      aci().subarray(0, -1024),
      tar.header({ name: 'rootfs/zeros', size: 2 ** 36 }),
    ]);
    writeFileSync(at('start'), start);
    await tool('sh', ['-c', 'cd "$0"; (cat start; head -c 40M /dev/zero) | gzip -1 > image.aci', base]);
    const limits = { expansion: { floor: 20_000_000, ratio: 200 } };
    await expect(fetchLocal(store, at('image.aci'), base, { limits })).rejects.toMatchObject({
      code: 'too-large',
    });
    // Under the limit it is only cut off.
    await expect(load(at('image.aci'))).rejects.toMatchObject({ code: 'bad-image' });
    expect(leftovers()).toEqual([]);
  });

  test('a blob or layer that is not what its digest says', async () => {
    const layer = { tar: tar.archive(tar.directory('./'), tar.file('f', 'x')) };
    const reference = writeLayout(at('layout'), [layer]);
    const blobs = at('layout/blobs/sha256');
    for (const name of readdirSync(blobs)) {
      const good = readFileSync(join(blobs, name));
      for (const bad of [
        good.subarray(0, -1),
        Buffer.concat([good, Buffer.from(' ')]),
        Buffer.from(good).fill(0x20, good.length - 2),
      ]) {
        writeFileSync(join(blobs, name), bad);
        await expect(load(reference), name).rejects.toMatchObject({ name: 'ImageError' });
      }
      writeFileSync(join(blobs, name), good);
    }
    expect(leftovers()).toEqual([]);
    expect(existsSync(rootOf(await load(reference)))).toBe(true);
  });

  test('of a layer that fails while the one below it is extracted, its own error is told', async () => {
    const files = Array.from({ length: 400 }, (_, name) => tar.file(`${name}`, Buffer.alloc(9000, name)));
    const lower = { tar: tar.archive(tar.directory('./'), ...files), compress: 'none' as const };
    const upper = { tar: tar.archive(tar.file('upper', 'x')), compress: 'none' as const };
    const reference = writeLayout(at('layout'), [lower, upper]);
    rmSync(at('layout/blobs/sha256', sha256(upper.tar)));
    await expect(load(reference)).rejects.toMatchObject({ name: 'ImageError', code: 'not-found' });
    expect(leftovers()).toEqual([]);
  });

  test('a layer with another diff id than its configuration says', async () => {
    const [said, real] = [tar.archive(tar.file('f', 'a')), tar.archive(tar.file('f', 'b'))];
    const swapped = () => ({ blob: real, suffix: '' });
    const reference = writeLayout(at('layout'), [{ tar: said, compress: swapped }]);
    await expect(load(reference)).rejects.toMatchObject({ code: 'digest-mismatch' });
    expect(leftovers()).toEqual([]);
  });

  test('an import that is aborted', async () => {
    writeFileSync(
      at('image.aci'),
      aci(...Array.from({ length: 50 }, (_, name) => tar.file(`rootfs/${name}`, Buffer.alloc(100_000)))),
    );
    const abort = new AbortController();
    const options = { signal: abort.signal, report: () => abort.abort() };
    await expect(fetchLocal(store, at('image.aci'), base, options)).rejects.toMatchObject({
      name: 'AbortError',
    });
    expect(leftovers()).toEqual([]);
  });
});
