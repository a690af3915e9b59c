import { constants } from 'node:fs';
import { type Descriptor, tryOpenAt } from './descriptor.ts';
import { cpath, libc, type Path, SystemError } from './syscall.ts';

const linkat = libc(
  'int linkat(int olddirfd, const char *oldpath, int newdirfd, const char *newpath, int flags)',
);

/** Not among Node's constants. */
const O_TMPFILE = 0o20000000;
const AT_FDCWD = -100;
const AT_SYMLINK_FOLLOW = 0x400;
/** ENOENT: a file system behind an old kernel; EISDIR, EOPNOTSUPP: one that has none. */
const NOT_HERE = [-2, -21, -95];

/**
 * A file that no directory has, so that whatever ends its maker ends it too. Undefined on a file system that knows no such files.
 * @throws SystemError
 */
export function openNameless(directory: Descriptor): Descriptor | undefined {
  const opened = tryOpenAt(directory, '.', O_TMPFILE | constants.O_DIRECTORY | constants.O_RDWR, 0o666);
  if (typeof opened !== 'number') return opened;
  if (NOT_HERE.includes(opened)) return undefined;
  throw new SystemError('openat', opened, '.');
}

/** Where this program and those that it starts find an open file. */
export function pathOf(file: Descriptor): string {
  return `/proc/${process.pid}/fd/${file.fd}`;
}

/** Gives such a file a name: 0, or the negative errno, -EEXIST where the name is taken. */
export function tryName(file: Descriptor, directory: Descriptor, name: Path): number {
  return linkat(AT_FDCWD, cpath(pathOf(file)), directory.fd, cpath(name), AT_SYMLINK_FOLLOW);
}
