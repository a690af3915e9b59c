import { createHash } from 'node:crypto';
import { type BigIntStats, constants, fstatSync, readSync } from 'node:fs';
import { type Descriptor, openAt, openDirectory } from '../os/descriptor.ts';
import { tryReadLink } from '../os/directory-entries.ts';
import { listXattrs, statAt } from '../os/file-attributes.ts';
import { listNames } from '../os/tree.ts';
import { showBytes, toByteString } from './tar/index.ts';

const READ_SIZE = 1024 * 1024;

interface Line {
  readonly path: string;
  /** All that makes the entry what it is, but its name. */
  readonly content: string;
}

/**
 * The first name at which two trees differ, with what is wrong there, or undefined: names, types, modes, owners, times, sizes, links,
 * devices, extended attributes and every byte of every file. Both are read side by side, in the order of the names.
 */
export function firstDifference(one: string, other: string): string | undefined {
  using left = openDirectory(one);
  using right = openDirectory(other);
  const [lines, others] = [linesOf(left, ''), linesOf(right, '')];
  for (;;) {
    const [a, b] = [lines.next().value, others.next().value];
    if (a === undefined && b === undefined) return undefined;
    if (a?.path === b?.path && a?.content === b?.content) continue;
    if (a?.path === b?.path) return `${shown(a)} is not as it should be`;
    return b === undefined || (a !== undefined && a.path < b.path)
      ? `${shown(a)} does not belong there`
      : `${shown(b)} is missing`;
  }
}

function* linesOf(directory: Descriptor, path: string): Generator<Line, undefined> {
  yield { path, content: [...statsOf(directory), ...xattrsOf(directory)].join(' ') };
  const names = listNames(directory).map(toByteString).sort();
  for (const name of names) yield* entryLines(directory, Buffer.from(name, 'latin1'), `${path}/${name}`);
  return undefined;
}

function* entryLines(parent: Descriptor, name: Buffer, path: string): Generator<Line, undefined> {
  const stats = statAt(parent, name);
  if (stats?.isDirectory() === true) {
    using directory = openAt(parent, name, constants.O_RDONLY | constants.O_DIRECTORY);
    yield* linesOf(directory, path);
  } else if (stats?.isFile() === true) {
    using file = openAt(parent, name, constants.O_RDONLY);
    yield { path, content: [...statsOf(file), ...xattrsOf(file), contentOf(file)].join(' ') };
  } else if (stats !== undefined) {
    const target = tryReadLink(parent, name);
    const { mode, uid, gid, rdev } = stats;
    const link = typeof target === 'number' ? '' : toByteString(target);
    yield { path, content: [mode, uid, gid, timeOf(stats), rdev, link].join(' ') };
  }
  return undefined;
}

/** A whiteout's time is when it was extracted: layers have none, and nobody sees it. */
function timeOf(stats: BigIntStats): bigint {
  return stats.isCharacterDevice() && stats.rdev === 0n ? 0n : stats.mtimeNs;
}

function statsOf(file: Descriptor): bigint[] {
  const { mode, uid, gid, mtimeNs, nlink, size } = fstatSync(file.fd, { bigint: true });
  // What a directory takes depends on its past.
  return (mode & BigInt(constants.S_IFMT)) === BigInt(constants.S_IFDIR)
    ? [mode, uid, gid, mtimeNs]
    : [mode, uid, gid, mtimeNs, nlink, size];
}

function xattrsOf(file: Descriptor): string[] {
  return [...listXattrs(file)].map(([name, value]) => `${name}=${value.toString('hex')}`).sort();
}

function contentOf(file: Descriptor): string {
  const hash = createHash('sha256');
  const chunk = Buffer.allocUnsafe(READ_SIZE);
  for (;;) {
    const length = readSync(file.fd, chunk, 0, READ_SIZE, null);
    if (length === 0) return hash.digest('hex');
    hash.update(chunk.subarray(0, length));
  }
}

function shown(line: Line | undefined): string {
  return showBytes(line === undefined || line.path === '' ? '/' : line.path);
}
