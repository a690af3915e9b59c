import { readdirSync } from 'node:fs';
import { type Descriptor, tryOpenBeneath } from './descriptor.ts';
import { removeEmptyDirectory, removeName } from './directory-entries.ts';
import { check, libc, type Path, SystemError } from './syscall.ts';

const syncfs = libc('int syncfs(int fd)');

const ENOENT = -2;
const ENOTDIR = -20;
const ELOOP = -40;

/** The names in an open directory, as bytes: they need not be UTF-8. */
export function listNames(directory: Descriptor): Buffer[] {
  return readdirSync(`/proc/self/fd/${directory.fd}`, { encoding: 'buffer' });
}

/**
 * Removes a name and all below it, holding on to directories rather than paths: no link planted meanwhile leads elsewhere.
 * A mount point below is an error (EXDEV): what is mounted there is somebody's data.
 */
export function removeTree(parent: Descriptor, name: Path): void {
  const opened = tryOpenBeneath(parent, name);
  if (opened === ENOENT) return;
  if (opened === ENOTDIR || opened === ELOOP) {
    removeName(parent, name);
    return;
  }
  if (typeof opened === 'number') throw new SystemError('openat2', opened, name);
  {
    using directory = opened;
    for (const child of listNames(directory)) removeTree(directory, child);
  }
  removeEmptyDirectory(parent, name);
}

/** Brings everything written to this directory's file system to the disk. */
export function syncFileSystem(directory: Descriptor): void {
  check(syncfs(directory.fd), 'syncfs');
}
