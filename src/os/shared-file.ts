import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs';
import { isSystemError, SystemError } from './syscall.ts';
import { removeAny } from './tree.ts';

// Files in directories that others may write to, too: what they put there may be a link to a file that is not theirs, or a fifo that
// would stop the command.

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = constants;
/** As often as somebody may be quicker. */
const MOST_TRIES = 10;
const EEXIST = -17;
const EFBIG = -27;
/** In bytes: a record with the largest manifest that an image may have. */
const LARGEST_TEXT = 128 * 1024 * 1024;
const OTHERS_WRITE = 0o022;

/** Flags to open what is there with, whatever it is. */
export const PLAINLY = O_NOFOLLOW | O_NONBLOCK;

/** The text of a file, empty for what is none; undefined where there is nothing. @throws SystemError EFBIG for what would fill the memory */
export function readSharedFile(path: string): string | undefined {
  const fd = tryOpen(path);
  if (fd === undefined) return undefined;
  try {
    const stats = fstatSync(fd);
    if (stats.size > LARGEST_TEXT) throw new SystemError('read', EFBIG, path);
    return stats.isFile() ? readFileSync(fd, 'utf8') : '';
  } finally {
    closeSync(fd);
  }
}

/**
 * Opens a file to write to: one of this user's own, with what it holds, or a new one of `mode`. Anything else of that name goes: who
 * has made it could still write to it, or it leads elsewhere.
 */
export function openOwnFile(path: string, mode: number): number {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const fd = tryOpenOwn(path) ?? tryMake(path, mode);
    if (fd !== undefined) return fd;
  }
  throw new SystemError('open', EEXIST, path);
}

function tryOpen(path: string): number | undefined {
  try {
    return openSync(path, O_RDONLY | PLAINLY);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function tryOpenOwn(path: string): number | undefined {
  try {
    const fd = openSync(path, O_RDWR | PLAINLY);
    const stats = fstatSync(fd);
    if (isOwn(stats)) return fd;
    closeSync(fd);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    if (!isSystemError(error, 'EACCES', 'ELOOP', 'ENXIO', 'EISDIR')) throw error;
  }
  removeAny(path);
  return undefined;
}

/** Whom the mode let write once may have it open still: such a file, moved here, would change after it has been checked. */
function isOwn(stats: Stats): boolean {
  const isClosed = (stats.mode & OTHERS_WRITE) === 0;
  return stats.isFile() && stats.uid === process.geteuid?.() && stats.nlink === 1 && isClosed;
}

function tryMake(path: string, mode: number): number | undefined {
  try {
    return openSync(path, O_RDWR | O_CREAT | O_EXCL, mode);
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) return undefined;
    throw error;
  }
}
