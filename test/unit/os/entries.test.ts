import {
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { O_PATH, openAt, openDirectory, tryOpenAt, tryOpenBeneath } from '../../../src/os/descriptor.ts';
import {
  deviceNumber,
  tryMakeDirectory,
  tryMakeHardLink,
  tryMakeSymlink,
  tryReadLink,
  tryRename,
} from '../../../src/os/directory-entries.ts';
import {
  changeMode,
  changeTimes,
  changeTimesAt,
  getXattr,
  listXattrs,
  setXattr,
  statAt,
} from '../../../src/os/file-attributes.ts';
import { listNames, removeTree, syncFileSystem } from '../../../src/os/tree.ts';
import { makeDeepDirectory } from '../../support/deep-directory.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'rkt-os-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test('openat2 refuses to leave a directory by a link or by dots', () => {
  mkdirSync(join(root, 'tree/sub'), { recursive: true });
  symlinkSync('..', join(root, 'tree/up'));
  symlinkSync('sub', join(root, 'tree/near'));
  using tree = openDirectory(join(root, 'tree'));
  const inside = tryOpenBeneath(tree, 'sub');
  expect(typeof inside).toBe('object');
  if (typeof inside === 'object') inside[Symbol.dispose]();
  expect(tryOpenBeneath(tree, 'up')).toBe(-40);
  expect(tryOpenBeneath(tree, 'near')).toBe(-40);
  expect(tryOpenBeneath(tree, '..')).toBe(-18);
  expect(tryOpenBeneath(tree, '/etc')).toBe(-18);
  expect(tryOpenBeneath(tree, 'none')).toBe(-2);
});

test('names are bytes, whether UTF-8 or not', () => {
  using directory = openDirectory(root);
  const name = Buffer.from([0x66, 0xff, 0xfe]);
  {
    using file = openAt(directory, name, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600);
    writeSync(file.fd, 'text');
  }
  expect(listNames(directory)).toEqual([name]);
  expect(tryOpenAt(directory, name, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600)).toBe(
    -17,
  );
  expect(() => openAt(directory, 'a\0b', constants.O_RDONLY)).toThrow('EINVAL');
});

test('makes links, reads them back and never follows them', () => {
  using directory = openDirectory(root);
  writeFileSync(join(root, 'file'), 'x');
  expect(tryMakeSymlink(directory, 'link', 'file')).toBe(0);
  expect(tryReadLink(directory, 'link')).toEqual(Buffer.from('file'));
  expect(tryReadLink(directory, 'file')).toBe(-22);
  expect(tryMakeHardLink(directory, 'file', directory, 'second')).toBe(0);
  expect(statSync(join(root, 'second')).nlink).toBe(2);
  expect(statAt(directory, 'link')?.isSymbolicLink()).toBe(true);
  expect(statAt(directory, 'none')).toBeUndefined();
  expect(tryRename(directory, 'second', directory, 'file')).toBe(-17);
  expect(tryRename(directory, 'second', directory, 'third')).toBe(0);
});

test('sets modes, times to the nanosecond and attributes', () => {
  using directory = openDirectory(root);
  {
    using file = openAt(directory, 'file', constants.O_CREAT | constants.O_RDWR, 0o600);
    changeMode(file, 0o4755);
    changeTimes(file, { seconds: -2, nanoseconds: 123_456_789 });
    setXattr(file, 'user.key', Buffer.from([0, 1, 2]));
    expect(getXattr(file, 'user.key')).toEqual(Buffer.from([0, 1, 2]));
    expect(getXattr(file, 'user.none')).toBeUndefined();
    expect([...listXattrs(file)].filter(([key]) => key.startsWith('user.'))).toEqual([
      ['user.key', Buffer.from([0, 1, 2])],
    ]);
    expect(fstatSync(file.fd).mode & 0o7777).toBe(0o4755);
  }
  expect(lstatSync(join(root, 'file'), { bigint: true }).mtimeNs).toBe(-1_876_543_211n);
  symlinkSync('file', join(root, 'link'));
  changeTimesAt(directory, 'link', { seconds: 7, nanoseconds: 5 });
  expect(lstatSync(join(root, 'link'), { bigint: true }).mtimeNs).toBe(7_000_000_005n);
});

test('device numbers are encoded as the kernel does', () => {
  expect(deviceNumber(1, 3)).toBe(0x103n);
  expect(deviceNumber(8, 0x12345)).toBe(0x12300845n);
  expect(deviceNumber(0x12345, 0xff)).toBe((0x12000n << 32n) | 0x345ffn);
});

test('removes a tree and leaves what its links point at', () => {
  mkdirSync(join(root, 'tree/a/b'), { recursive: true });
  writeFileSync(join(root, 'kept'), 'kept');
  symlinkSync(join(root, 'kept'), join(root, 'tree/a/link'));
  symlinkSync('..', join(root, 'tree/a/b/up'));
  using directory = openDirectory(root);
  expect(tryMakeDirectory(directory, 'tree', 0o700)).toBe(-17);
  removeTree(directory, 'tree');
  removeTree(directory, 'tree');
  expect(statAt(directory, 'tree')).toBeUndefined();
  expect(readFileSync(join(root, 'kept'), 'utf8')).toBe('kept');
});

const { RKT_TEST_SOAK } = process.env;
// In a campaign more than any process may have open, and than the stack has room for.
const LEVELS = RKT_TEST_SOAK === '1' ? 20_000 : 2000;
// More than are read at once.
const NAMES = 4200;
const descriptors = () => readdirSync('/proc/self/fd').length;

test('removes a tree of any depth, with branches at the deepest level, and holds few descriptors meanwhile', () => {
  mkdirSync(join(root, 'tree'));
  // The names that removal would use itself.
  for (const name of ['lifted-1', 'lifted-2']) mkdirSync(join(root, 'tree', name));
  makeDeepDirectory(join(root, 'tree'), LEVELS, (deepest) => {
    for (const name of ['a', 'b']) mkdirSync(join(deepest, name, 'sub'), { recursive: true });
    writeFileSync(join(deepest, 'file'), '');
  });
  using directory = openDirectory(root);
  const before = descriptors();
  removeTree(directory, 'tree');
  expect(statAt(directory, 'tree')).toBeUndefined();
  expect(descriptors()).toBe(before);
}, 60_000);

test('removes a directory of more names than are read at once', () => {
  mkdirSync(join(root, 'tree'));
  for (let count = 0; count < NAMES; count++) writeFileSync(join(root, 'tree', `${count}`), '');
  using directory = openDirectory(root);
  removeTree(directory, 'tree');
  expect(listNames(directory)).toEqual([]);
}, 60_000);

test('removes names that are no UTF-8', () => {
  mkdirSync(join(root, 'tree'));
  writeFileSync(Buffer.concat([Buffer.from(`${root}/tree/`), Buffer.from([0x66, 0xff, 0xfe])]), '');
  using directory = openDirectory(root);
  removeTree(directory, 'tree');
  expect(listNames(directory)).toEqual([]);
});

test('brings a file system to the disk while this program goes on', async () => {
  using directory = openDirectory(root);
  await syncFileSystem(directory);
  // What only names a directory is no file system to the call.
  using named = openAt(directory, '.', O_PATH);
  await expect(syncFileSystem(named)).rejects.toMatchObject({ code: 'EIO', syscall: 'syncfs' });
});
