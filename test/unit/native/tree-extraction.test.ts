import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { formatTarEntry, TAR_END, type TarEntry, tarPadding } from '../../../src/abi/tar.ts';
import { parseTarEntry } from '../../../src/abi/tar-reading.ts';
import { close, open, open_ } from '../../../src/native/files.ts';
import { umask } from '../../../src/native/processes.ts';
import { TreeArchive } from '../../../src/native/tree-archive.ts';
import { TreeExtraction } from '../../../src/native/tree-extraction.ts';
import { placeTree } from '../../../src/native/tree-place.ts';
import { nativeScratch } from '../../support/native-scratch.ts';
import { treeListing } from '../../support/tree-listing.ts';

const scratch = nativeScratch();
const at = (name: string) => join(scratch, name);
const OWN = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
const plain = { ...OWN, mode: 0o644, mtime: { seconds: 1000, nanoseconds: 5 }, xattrs: new Map() };
const directory = (path: string): TarEntry => ({ ...plain, mode: 0o755, path, kind: 'directory' });
const file = (path: string, content = ''): [TarEntry, string] => [
  {
    ...plain,
    path,
    kind: 'file',
    size: content.length,
    regions: content === '' ? [] : [{ offset: 0, length: content.length }],
  },
  content,
];
const link = (path: string, target: string): TarEntry => ({ ...plain, path, kind: 'symlink', target });
const hard = (path: string, target: string): TarEntry => ({ ...plain, path, kind: 'hardlink', target });

function tarOf(...entries: readonly (TarEntry | [TarEntry, string])[]): Buffer {
  const parts = entries.flatMap((each) => {
    const [entry, content] = Array.isArray(each) ? each : [each, ''];
    return [formatTarEntry(entry), Buffer.from(content), new Uint8Array(tarPadding(content.length))];
  });
  return Buffer.concat([...parts, TAR_END]);
}

/** As `receiveTree` does from its standard input. */
function extract(tar: Buffer, path: string, name: string | null): void {
  let position = 0;
  const read = (length: number) => {
    if (position + length > tar.length) throw new RangeError('the archive ends too early');
    position += length;
    return Uint8Array.from(tar.subarray(position - length, position));
  };
  const before = umask(0);
  try {
    const first = parseTarEntry(read);
    using place = placeTree(path, name, first);
    using extraction = new TreeExtraction(place.directory);
    for (let entry = first; entry !== undefined; entry = parseTarEntry(read)) {
      extraction.add(
        entry,
        (of) => place.locate(of),
        (region, take) => take(read(region.length)),
      );
      if (entry.kind === 'file') read(tarPadding(entry.regions.reduce((sum, { length }) => sum + length, 0)));
    }
    extraction.finish();
  } finally {
    umask(before);
  }
}

beforeEach(() => {
  rmSync(at('target'), { recursive: true, force: true });
  mkdirSync(at('target'));
});

test('what was archived comes out the same', () => {
  const tree = at('tree');
  mkdirSync(join(tree, 'a/b'), { recursive: true });
  writeFileSync(join(tree, 'a/b/file'), 'content');
  chmodSync(join(tree, 'a/b/file'), 0o6711);
  linkSync(join(tree, 'a/b/file'), join(tree, 'hard'));
  symlinkSync('a/b/file', join(tree, 'link'));
  execFileSync('mkfifo', ['-m', '622', join(tree, 'fifo')]);
  writeFileSync(Buffer.concat([Buffer.from(`${tree}/`), Buffer.from([0xff, 0x0a])]), 'odd name');
  mkdirSync(join(tree, 'n'.repeat(150), 'm'.repeat(150)), { recursive: true });
  writeFileSync(join(tree, 'sparse'), 'data');
  truncateSync(join(tree, 'sparse'), 50_000_000);
  chmodSync(join(tree, 'a'), 0o1700);
  const parts: Uint8Array[] = [];
  const sink = {
    format: formatTarEntry,
    padding: tarPadding,
    write: (bytes: Uint8Array) => parts.push(bytes.slice()),
    leaveOut: () => {},
  };
  const fd = open(tree, open_.readOnly | open_.directory);
  new TreeArchive(sink, { layer: false, reservesNames: false }).add(fd, '.', 'tree');
  close(fd);
  extract(Buffer.concat([...parts, TAR_END]), at('target'), 'tree');
  expect(treeListing(at('target/tree'))).toEqual(treeListing(tree));
  const blocks = Number(execFileSync('stat', ['-c', '%b', at('target/tree/sparse')], { encoding: 'utf8' }));
  expect(blocks * 512).toBeLessThan(1_000_000);
});

describe('where it goes', () => {
  const names = (path: string) =>
    execFileSync('find', ['.', '-mindepth', '1'], { cwd: path, encoding: 'utf8' })
      .split('\n')
      .sort()
      .slice(1);
  const one = () => tarOf(file('one', 'x'));
  const tree = () => tarOf(directory('dir'), file('dir/in', 'x'));

  test('a file into a directory, over a file, or to be the one that is not there', () => {
    extract(one(), at('target'), 'one');
    extract(one(), at('target/'), 'one');
    extract(one(), at('target/other'), 'one');
    writeFileSync(at('target/old'), 'old content');
    extract(one(), at('target/old'), 'one');
    expect(names(at('target'))).toEqual(['./old', './one', './other']);
    expect(readFileSync(at('target/old'), 'utf8')).toBe('x');
  });

  test('a directory into a directory, or to be the one that is not there; what is in it likewise', () => {
    extract(tree(), at('target'), 'dir');
    extract(tree(), at('target/new'), 'dir');
    extract(tree(), at('target/slash/'), 'dir');
    extract(tarOf(directory('./'), file('in', 'x')), at('target/dots'), '');
    mkdirSync(at('target/there'));
    extract(tarOf(directory('./'), file('in', 'x')), at('target/there'), '');
    expect(names(at('target'))).toEqual([
      ...['./dir', './dir/in', './dots', './dots/in', './new', './new/in'],
      ...['./slash', './slash/in', './there', './there/in'],
    ]);
  });

  test('entries of any archive into a directory that is there, with the directories that it leaves out', () => {
    extract(tarOf(file('a/b/c', 'x'), file('d', 'y')), at('target'), null);
    expect(names(at('target'))).toEqual(['./a', './a/b', './a/b/c', './d']);
    expect(() => extract(one(), at('target/absent'), null)).toThrow('no such directory');
  });

  test.each([
    [
      'a file to a directory that is not there',
      () => extract(one(), at('target/absent/'), 'one'),
      'no such directory',
    ],
    ['a file below what is not there', () => extract(one(), at('target/absent/x'), 'one'), 'ENOENT'],
    [
      'a directory over a file',
      () => extract(tree(), at('target/file'), 'dir'),
      'is there and is no directory',
    ],
    [
      'a file over a directory in it',
      () => extract(tarOf(file('sub')), at('target'), 'sub'),
      'is there and is a directory',
    ],
    [
      'a directory over a file in it',
      () => extract(tarOf(directory('file')), at('target'), 'file'),
      'is there and is no directory',
    ],
  ])('not %s', (_, act, message) => {
    writeFileSync(at('target/file'), 'old');
    mkdirSync(at('target/sub'));
    expect(act).toThrow(message);
    expect(readFileSync(at('target/file'), 'utf8')).toBe('old');
  });
});

describe('what is no file keeps its place', () => {
  const one = () => tarOf(file('one', 'x'));
  const fifo = (path: string): TarEntry => ({ ...plain, path, kind: 'fifo' });

  beforeEach(() => {
    execFileSync('mkfifo', [at('target/special')]);
    symlinkSync('special', at('target/way'));
    symlinkSync('/proc/self/fd/1', at('target/stdout'));
  });

  test.each([
    ['named as the destination', () => extract(one(), at('target/special'), 'one')],
    ['where a link leads that is', () => extract(one(), at('target/way'), 'one')],
    ['in the directory that takes the files', () => extract(tarOf(file('special')), at('target'), 'special')],
    ['for a link', () => extract(tarOf(link('special', 'x')), at('target'), 'special')],
    ['a descriptor’s name', () => extract(one(), at('target/stdout'), 'one')],
  ])('%s', (_, act) => {
    expect(act).toThrow('is there and is no file');
    expect(lstatSync(at('target/special')).isFIFO()).toBe(true);
    expect(lstatSync(at('target/stdout')).isSymbolicLink()).toBe(true);
  });

  test('but for its like', () => {
    const before = lstatSync(at('target/special')).mtimeMs;
    extract(tarOf(fifo('special')), at('target'), 'special');
    expect(lstatSync(at('target/special')).isFIFO()).toBe(true);
    expect(lstatSync(at('target/special')).mtimeMs).not.toBe(before);
  });
});

describe('nothing leaves the place', () => {
  beforeEach(() => {
    rmSync(at('outside'), { recursive: true, force: true });
    mkdirSync(at('outside'));
    writeFileSync(at('outside/secret'), 'secret');
  });

  test.each<[string, Buffer, RegExp]>([
    ['by ..', tarOf(directory('d'), file('d/../../outside/x')), /the archive has the path/],
    ['by a name that was not asked for', tarOf(directory('d'), file('e')), /the archive has the path/],
    [
      'by a link of its own',
      tarOf(directory('d'), link('d/l', at('outside')), file('d/l/x')),
      /is no directory/,
    ],
    [
      'by a link of its own, as a directory',
      tarOf(directory('d'), link('d/l', '../outside'), directory('d/l')),
      /is no directory/,
    ],
    [
      'by a further name',
      tarOf(directory('d'), hard('d/h', 'd/../outside/secret')),
      /the archive has the path/,
    ],
    [
      'by a further name through a link',
      tarOf(directory('d'), link('d/l', at('outside')), hard('d/h', 'd/l/secret')),
      /ELOOP|ENOTDIR/,
    ],
  ])('%s', (_, tar, message) => {
    expect(() => extract(tar, at('target'), 'd')).toThrow(message);
    expect(execFileSync('ls', [at('outside')], { encoding: 'utf8' })).toBe('secret\n');
  });

  test('by a link that was there: it is replaced by a file, and no directory', () => {
    symlinkSync(at('outside/secret'), at('target/l'));
    extract(tarOf(file('l', 'new')), at('target'), 'l');
    expect(readFileSync(at('outside/secret'), 'utf8')).toBe('secret');
    expect(readFileSync(at('target/l'), 'utf8')).toBe('new');
    symlinkSync(at('outside'), at('target/d'));
    expect(() => extract(tarOf(directory('d'), file('d/x')), at('target'), 'd')).toThrow('is no directory');
    expect(existsSync(at('outside/x'))).toBe(false);
  });
});
