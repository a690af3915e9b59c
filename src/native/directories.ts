/** Listing directories, and removing whole trees without ever leaving them. */
import { Unpacker } from './bytes.ts';
import { utf8Decode } from './engine.ts';
import { hasCode, unless } from './errors.ts';
import { AT_FDCWD, close, File, open, open_, openResolved, resolve, seek } from './files.ts';
import { rmdir, unlink } from './paths.ts';
import type { FileKind } from './stat.ts';
import { attempt, call, checked, type Path, pathBytes, showPath } from './syscall.ts';

export interface Entry {
  /** The name's bytes: a hostile tree's need not be UTF-8. */
  readonly bytes: Uint8Array;
  readonly name: string;
  /** `unknown` where the file system does not say. */
  readonly kind: FileKind;
}

const kinds: Readonly<Record<number, FileKind>> = {
  1: 'fifo',
  2: 'char',
  4: 'directory',
  6: 'block',
  8: 'file',
  10: 'symlink',
  12: 'socket',
};

const BUFFER = 32768;
const RENAME_NOREPLACE = 1;
const EEXIST = -17;

/** The names in a directory, without `.` and `..`, in the file system's order. */
export function readdir(path: Path, directory = AT_FDCWD): string[] {
  return entries(path, directory).map((entry) => entry.name);
}

export function entries(path: Path, directory = AT_FDCWD): Entry[] {
  using file = File.open(path, open_.readOnly | open_.directory, 0, directory);
  return entriesOf(file.fd);
}

/** As `entries`, of an open directory, from where its position is. */
export function entriesOf(fd: number): Entry[] {
  const buffer = new Uint8Array(BUFFER);
  const found: Entry[] = [];
  for (;;) {
    const length = call('getdents64', fd, buffer, buffer.length);
    if (length === 0) return found;
    found.push(...parseEntries(buffer.subarray(0, length)));
  }
}

/** struct linux_dirent64: inode, offset, record length, type, name. */
export function parseEntries(bytes: Uint8Array): Entry[] {
  const found: Entry[] = [];
  for (let at = 0; at < bytes.length; ) {
    const record = new Unpacker(bytes, at + 16);
    const length = record.u16();
    const kind = kinds[record.u8()] ?? 'unknown';
    const start = at + 19;
    const name = bytes.slice(start, bytes.indexOf(0, start));
    at += length;
    const text = utf8Decode(name);
    if (text !== '.' && text !== '..') found.push({ bytes: name, name: text, kind });
  }
  return found;
}

/**
 * Removes a file or a directory with all below it; nothing happens where there is nothing. Symlinks are removed,
 * not followed, and each directory is opened relative to its parent's fd and never across a mount point, so
 * that nobody who renames or mounts meanwhile can lead it elsewhere. A mount point fails with EBUSY or EXDEV.
 */
export function removeTree(path: Path, directory = AT_FDCWD): void {
  if (removedAsFile(path, directory)) return;
  const flags = open_.readOnly | open_.directory | open_.noFollow;
  const top = unless(['ENOENT'], () => open(path, flags, 0, directory));
  if (top === undefined) return;
  try {
    emptyDirectory(top);
  } finally {
    close(top);
  }
  unless(['ENOENT'], () => rmdir(path, directory));
}

/** Each level holds a fd open; whoever made the tree may have made it deeper than a process may have fds. */
const MAX_DEPTH = 32;

/** Removes what an open directory holds. What lies too deep is moved up first, to where its turn comes again. */
export function emptyDirectory(top: number): void {
  let serial = 0;
  let again = true;
  const lift = (fd: number, name: Uint8Array) => {
    const move = () => attempt('renameat2', fd, name, top, `.removed-${serial++}`, RENAME_NOREPLACE);
    let result = move();
    while (result === EEXIST) result = move();
    checked('rename', result, { path: showPath(name) });
    again = true;
  };
  const empty = (fd: number, depth: number) => {
    for (const entry of entriesOf(fd)) {
      const name = pathBytes(entry.bytes);
      if (entry.kind !== 'directory' && removedAsFile(name, fd)) continue;
      if (depth === MAX_DEPTH) lift(fd, name);
      else removeDirectory(fd, name, (child) => empty(child, depth + 1));
    }
  };
  while (again) {
    again = false;
    seek(top, 0);
    empty(top, 0);
  }
}

/** Removes a directory after `empty` has emptied it as far as it could; what was moved up leaves it empty, too. */
function removeDirectory(parent: number, name: Uint8Array, empty: (fd: number) => void): void {
  const flags = open_.readOnly | open_.directory | open_.noFollow;
  const fd = openResolved(parent, name, flags, 0, resolve.beneath | resolve.noCrossDevice);
  try {
    empty(fd);
  } finally {
    close(fd);
  }
  rmdir(name, parent);
}

/** False where the path is a directory. */
function removedAsFile(path: Path, directory: number): boolean {
  try {
    unlink(path, directory);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return true;
    // EPERM is what POSIX asks for on a directory; Linux says EISDIR.
    if (hasCode(error, 'EISDIR', 'EPERM')) return false;
    throw error;
  }
}
