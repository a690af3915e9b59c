import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ACI_RULES } from '../../../../src/image/aci-layer.ts';
import { ImageError } from '../../../../src/image/error.ts';
import type { LayerRules } from '../../../../src/image/extract/index.ts';
import { type UnpackedLayer, unpack } from '../../../../src/image/layer.ts';
import { OCI_RULES } from '../../../../src/image/layers.ts';
import { TarError } from '../../../../src/image/tar/index.ts';
import * as tar from '../../../support/tar-archive.ts';

let base = '';
let rootfs = '';
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'rkt-extract-'));
  rootfs = join(base, 'rootfs');
  mkdirSync(rootfs);
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const at = (path: string) => join(rootfs, path);
const ROOT = tar.directory('./');

async function extract(
  parts: readonly Buffer[],
  rules: LayerRules = OCI_RULES,
  lower: readonly string[] = [],
): Promise<UnpackedLayer> {
  return unpack({
    stream: tar.chunks(tar.archive(...parts), 4096),
    algorithm: 'sha256',
    rootfs,
    rules,
    lower,
    endMarker: 'required',
    signal: undefined,
    limits: {},
  });
}

async function refusal(parts: readonly Buffer[], rules: LayerRules = OCI_RULES): Promise<string> {
  try {
    await extract(parts, rules);
    return 'accepted';
  } catch (error) {
    if (error instanceof ImageError || error instanceof TarError) return error.code;
    throw error;
  }
}

test('files, links, fifos and directories with their modes and times', async () => {
  const layer = await extract([
    ROOT,
    tar.directory('dir/', { mode: 0o1750, mtime: 1000 }),
    tar.pax([['mtime', '5.000000001']]),
    tar.file('dir/file', 'content', { mode: 0o4711 }),
    tar.symlink('dir/link', '/absolute/../target'),
    tar.hardlink('dir/second', './dir//file'),
    tar.hardlink('dir/third', 'dir/link'),
    tar.entry({ name: 'pipe', type: '6', mode: 0o622 }),
    tar.file('dir/empty'),
  ]);
  expect(layer).toMatchObject({ size: 7, dependsOnLower: false });
  expect(readFileSync(at('dir/file'), 'utf8')).toBe('content');
  expect(lstatSync(at('dir/file')).mode & 0o7777).toBe(0o4711);
  expect(lstatSync(at('dir/file'), { bigint: true }).mtimeNs).toBe(5_000_000_001n);
  expect(lstatSync(at('dir')).mode & 0o7777).toBe(0o1750);
  expect(lstatSync(at('dir')).mtimeMs).toBe(1_000_000);
  expect(readlinkSync(at('dir/link'))).toBe('/absolute/../target');
  expect(readlinkSync(at('dir/third'))).toBe('/absolute/../target');
  expect(lstatSync(at('dir/second')).ino).toBe(lstatSync(at('dir/file')).ino);
  expect(lstatSync(at('pipe')).isFIFO()).toBe(true);
  expect(lstatSync(at('pipe')).mode & 0o7777).toBe(0o622);
  expect(statSync(at('dir/empty')).size).toBe(0);
});

test('links between many directories find theirs', async () => {
  const names = Array.from({ length: 40 }, (_, n) => `d${n}`);
  await extract([
    ROOT,
    ...names.flatMap((name) => [tar.directory(`${name}/`), tar.file(`${name}/file`, name)]),
    ...names.flatMap((name, n) =>
      names.slice(0, n).map((other) => tar.hardlink(`${name}/${other}`, `${other}/file`)),
    ),
  ]);
  expect(readFileSync(at('d39/d0'), 'utf8')).toBe('d0');
  expect(readFileSync(at('d20/d19'), 'utf8')).toBe('d19');
  expect(names.reduce((sum, name) => sum + readdirSync(at(name)).length, 0)).toBe(40 + 780);
});

test('holes stay holes', async () => {
  const map = '0,1,8388608,1';
  await extract([
    ROOT,
    tar.pax([
      ['GNU.sparse.size', '16777216'],
      ['GNU.sparse.map', map],
    ]),
    tar.file('sparse', 'ab'),
  ]);
  const stats = statSync(at('sparse'));
  expect(stats.size).toBe(16_777_216);
  expect(stats.blocks * 512).toBeLessThan(100_000);
  expect(readFileSync(at('sparse')).subarray(8_388_607, 8_388_610)).toEqual(Buffer.from([0, 0x62, 0]));
});

describe('nothing leaves the target', () => {
  test.each([
    ['an absolute name', [tar.file('/etc/passwd', 'x')]],
    ['a name that climbs', [tar.file('../outside/file', 'x')]],
    ['a name that climbs later', [tar.directory('a/'), tar.file('a/../../outside/file', 'x')]],
    ['a hard link outside', [tar.hardlink('link', '../outside/secret')]],
    ['a hard link to an absolute path', [tar.hardlink('link', '/etc/passwd')]],
    ['a hard link to what is not there', [tar.hardlink('link', 'missing')]],
    ['a hard link to a directory', [tar.directory('d/'), tar.hardlink('link', 'd')]],
    ['a hard link to the root', [tar.hardlink('link', '.')]],
    ['a file below an absolute link', [tar.symlink('out', 'OUTSIDE'), tar.file('out/file', 'x')]],
    [
      'a file below a climbing link',
      [tar.directory('d/'), tar.symlink('d/out', '../../outside'), tar.file('d/out/file', 'x')],
    ],
    ['a directory below a link', [tar.symlink('out', 'OUTSIDE'), tar.directory('out/dir/')]],
    ['a hard link through a link', [tar.symlink('out', 'OUTSIDE'), tar.hardlink('link', 'out/secret')]],
    ['links through links', [tar.symlink('a', 'b'), tar.symlink('b', 'OUTSIDE'), tar.file('a/file', 'x')]],
    ['a link to itself', [tar.symlink('a', 'a'), tar.file('a/file', 'x')]],
    ['a file below a file', [tar.file('f', 'x'), tar.file('f/file', 'x')]],
    ['a file below a fifo', [tar.entry({ name: 'p', type: '6' }), tar.file('p/file', 'x')]],
    ['a root that is a link', [tar.symlink('.', 'OUTSIDE')]],
    ['a whiteout of the parent', [tar.directory('d/'), tar.file('d/.wh...', '')]],
    ['a whiteout of itself', [tar.directory('d/'), tar.file('d/.wh..', '')]],
    ['a whiteout of nothing', [tar.file('.wh.', '')]],
    ['a device that is a whiteout', [tar.entry({ name: 'w', type: '3' })]],
    ['an overlay mark', [tar.pax([['SCHILY.xattr.trusted.overlay.redirect', '/etc']]), tar.directory('d/')]],
    ['a very deep path', [tar.pax([['path', 'd/'.repeat(300)]]), tar.directory('d')]],
    ['a very long name', [tar.pax([['path', 'n'.repeat(256)]]), tar.file('n', 'x')]],
  ])('%s', async (_, parts) => {
    mkdirSync(join(base, 'outside'));
    writeFileSync(join(base, 'outside/secret'), 'secret');
    // A link's target may only be as long as the field; the test's directory fits.
    const hostile = parts.map((part) => withTarget(part, join(base, 'outside')));
    expect(await refusal([ROOT, ...hostile])).toBe('hostile-entry');
    expect(readdirSync(join(base, 'outside'))).toEqual(['secret']);
    expect(lstatSync(join(base, 'outside/secret')).nlink).toBe(1);
    expect(readdirSync(base).sort()).toEqual(['outside', 'rootfs']);
  });

  test('links within the image are followed, absolute ones from its root', async () => {
    await extract([
      ROOT,
      tar.directory('usr/'),
      tar.directory('usr/lib/'),
      tar.symlink('lib', 'usr/lib'),
      tar.symlink('abs', '/usr'),
      tar.file('lib/a', 'a'),
      tar.file('abs/lib/b', 'b'),
      tar.hardlink('c', 'abs/lib/a'),
    ]);
    expect(readdirSync(at('usr/lib')).sort()).toEqual(['a', 'b']);
    expect(readFileSync(at('c'), 'utf8')).toBe('a');
    expect(lstatSync(at('lib')).isSymbolicLink()).toBe(true);
  });
});

function withTarget(part: Buffer, target: string): Buffer {
  const block = Buffer.from(part);
  if (block.toString('latin1', 157, 164) !== 'OUTSIDE') return block;
  block.fill(0, 157, 257);
  block.write(target, 157, 100, 'latin1');
  tar.withChecksum(block.subarray(0, 512));
  return block;
}

describe('directories have the times of their entries, not of what was written to them last', () => {
  const time = (path: string) => lstatSync(at(path)).mtimeMs;
  const dated = (name: string, mtime: number) => tar.directory(name, { mtime });

  test('also when they were found by a link', async () => {
    await extract([
      dated('usr/', 5),
      dated('usr/lib/', 6),
      tar.symlink('lib', 'usr/lib'),
      dated('lib/sub/', 7),
      tar.file('lib/sub/file', 'x'),
      tar.file('usr/lib/file', 'x'),
    ]);
    expect(['usr', 'usr/lib', 'usr/lib/sub'].map(time)).toEqual([5000, 6000, 7000]);
  });

  test('also when they are more than are remembered', async () => {
    const many = Array.from({ length: 17_000 }, (_, n) => dated(`d${n}/`, n + 1));
    const late = ['d0/file', 'd1/sub/file', 'd16999/file'].map((name) => tar.file(name, 'x'));
    await extract([
      dated('./', 3),
      dated('d0/own/', 9),
      ...many,
      ...late,
      tar.hardlink('d2/link', 'd0/file'),
    ]);
    const paths = ['.', 'd0', 'd0/own', 'd1', 'd2', 'd1/sub', 'd5000', 'd16999'];
    expect(paths.map(time)).toEqual([3000, 1000, 9000, 2000, 3000, 0, 5_001_000, 17_000_000]);
  });
});

describe('an entry that comes again', () => {
  test('wins in an OCI layer, whatever either is', async () => {
    mkdirSync(join(base, 'outside'));
    writeFileSync(join(base, 'outside/kept'), 'kept');
    await extract([
      ROOT,
      tar.file('f', 'old'),
      tar.hardlink('other', 'f'),
      tar.file('f', 'new'),
      withTarget(tar.symlink('flink', 'OUTSIDE'), join(base, 'outside/kept')),
      tar.file('flink', 'replaced'),
      tar.directory('tree/'),
      tar.file('tree/file', 'x'),
      tar.file('tree', 'file now'),
      tar.directory('same/', { mode: 0o700 }),
      tar.file('same/file', 'kept'),
      tar.directory('same/', { mode: 0o711 }),
      tar.hardlink('f', 'f'),
    ]);
    expect(readFileSync(at('f'), 'utf8')).toBe('new');
    expect(readFileSync(at('other'), 'utf8')).toBe('old');
    expect(readFileSync(at('tree'), 'utf8')).toBe('file now');
    expect(readFileSync(at('flink'), 'utf8')).toBe('replaced');
    expect(readFileSync(at('same/file'), 'utf8')).toBe('kept');
    expect(statSync(at('same')).mode & 0o777).toBe(0o711);
    expect(readdirSync(join(base, 'outside'))).toEqual(['kept']);
    expect(readFileSync(join(base, 'outside/kept'), 'utf8')).toBe('kept');
  });

  test.each([
    ['a file', [tar.file('rootfs/f', 'a'), tar.file('rootfs/f', 'b')]],
    ['a directory', [tar.directory('rootfs/d/'), tar.directory('rootfs/./d')]],
    ['a link over a file', [tar.file('rootfs/f', 'a'), tar.symlink('rootfs/f', 'x')]],
    ['a directory over a link', [tar.symlink('rootfs/l', 'x'), tar.directory('rootfs/l/')]],
    ['the root', [tar.directory('rootfs')]],
  ])('is refused in an ACI: %s', async (_, parts) => {
    expect(await refusal([tar.directory('rootfs/'), ...parts], ACI_RULES)).toBe('duplicate-entry');
  });
});

test('in an ACI a name may begin like a whiteout', async () => {
  await extract([tar.directory('rootfs'), tar.file('rootfs/.wh.name', 'x')], ACI_RULES);
  expect(readFileSync(at('.wh.name'), 'utf8')).toBe('x');
});

test('an ACI has nothing beside its rootfs', async () => {
  expect(await refusal([tar.file('other/file', 'x')], ACI_RULES)).toBe('bad-layout');
  expect(await refusal([tar.directory('rootfs'), tar.hardlink('rootfs/l', 'manifest')], ACI_RULES)).toBe(
    'bad-layout',
  );
});

describe('what is left to the layers below', () => {
  test('a directory without an entry is theirs, with its mode', async () => {
    const lower = join(base, 'lower');
    mkdirSync(join(lower, 'etc/private'), { recursive: true, mode: 0o700 });
    const layer = await extract([ROOT, tar.file('etc/private/file', 'x')], OCI_RULES, [lower]);
    expect(layer.dependsOnLower).toBe(true);
    expect(statSync(at('etc/private')).mode & 0o777).toBe(0o700);
  });

  test('a link of theirs is followed, within the image', async () => {
    const lower = join(base, 'lower');
    mkdirSync(join(lower, 'usr/lib'), { recursive: true });
    symlinkSync('/usr/lib', join(lower, 'lib'));
    await extract([ROOT, tar.file('lib/file', 'x')], OCI_RULES, [lower]);
    expect(existsSync(at('lib'))).toBe(false);
    expect(readFileSync(at('usr/lib/file'), 'utf8')).toBe('x');
  });

  test('a file of theirs is copied to be linked to, the uppermost one', async () => {
    const [upper, lower] = [join(base, 'upper'), join(base, 'lower')];
    for (const [layer, text] of [
      [upper, 'upper'],
      [lower, 'lower'],
    ] as const) {
      mkdirSync(layer);
      writeFileSync(join(layer, 'file'), text);
      linkSync(join(layer, 'file'), join(layer, 'again'));
    }
    const layer = await extract([ROOT, tar.hardlink('link', 'file')], OCI_RULES, [upper, lower]);
    expect(layer.dependsOnLower).toBe(true);
    expect(readFileSync(at('link'), 'utf8')).toBe('upper');
    expect(statSync(at('file')).ino).toBe(statSync(at('link')).ino);
    expect(readFileSync(join(upper, 'file'), 'utf8')).toBe('upper');
  });

  test('a file of theirs is no directory', async () => {
    const lower = join(base, 'lower');
    mkdirSync(lower);
    writeFileSync(join(lower, 'f'), '');
    await expect(extract([ROOT, tar.file('f/file', 'x')], OCI_RULES, [lower])).rejects.toThrow(
      'leads through what is not a directory',
    );
  });
});
