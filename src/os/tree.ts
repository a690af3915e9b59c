import { opendirSync, readdirSync, rmSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { type Descriptor, openDirectory, tryOpenBeneath } from './descriptor.ts';
import { removeName, tryRemoveEmptyDirectory, tryRename } from './directory-entries.ts';
import { check, isSystemError, libcInBackground, type Path, SystemError } from './syscall.ts';

const syncfs = libcInBackground('int syncfs(int fd)');

const ENOENT = -2;
const EIO = -5;
const EEXIST = -17;
const ENOTDIR = -20;
const ENOTEMPTY = -39;
const ELOOP = -40;

/** Levels below a tree's top that are held open at once: a guest may nest directories as deep as its disk is large. */
const DEEPEST = 64;
/** Names of a directory that are held at once: a guest may make as many as its disk has inodes. */
const BATCH = 4096;

/** The names in an open directory, as bytes: they need not be UTF-8. */
export function listNames(directory: Descriptor): Buffer[] {
  return readdirSync(`/proc/self/fd/${directory.fd}`, { encoding: 'buffer' });
}

/**
 * Removes a name and all below it, holding on to directories rather than paths: no link planted meanwhile leads elsewhere.
 * A mount point below is an error (EXDEV): what is mounted there is somebody's data. Neither the depth of the tree nor the
 * number of names in a directory costs more than a bounded number of descriptors and of names in memory.
 */
export function removeTree(parent: Descriptor, name: Path): void {
  const opened = openForRemoval(parent, name);
  if (opened === undefined) return;
  using top = opened;
  new Removal(top).directory(parent, name, top, 0);
}

/** Removes what a path names, whatever it is: others may have made a directory where a file should be. Nothing happens where there is none. */
export function removeAny(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch (error) {
    if (!isSystemError(error, 'ERR_FS_EISDIR')) throw error;
    using parent = openDirectory(dirname(path));
    removeTree(parent, basename(path));
  }
}

/** A directory's descriptor; undefined for what is gone, and for any other name, which is removed at once. */
function openForRemoval(parent: Descriptor, name: Path): Descriptor | undefined {
  const opened = tryOpenBeneath(parent, name);
  if (typeof opened !== 'number') return opened;
  if (opened === ENOENT) return undefined;
  if (opened !== ENOTDIR && opened !== ELOOP) throw new SystemError('openat2', opened, name);
  removeName(parent, name);
  return undefined;
}

/** What lies too deep is moved up into the tree's top, where it is found again as one more directory. */
class Removal {
  readonly #top: Descriptor;
  #lifted = 0;

  constructor(top: Descriptor) {
    this.#top = top;
  }

  directory(parent: Descriptor, name: Path, directory: Descriptor, depth: number): void {
    for (;;) {
      const names = firstNames(directory);
      for (const child of names) this.#remove(directory, child, depth + 1);
      const result = tryRemoveEmptyDirectory(parent, name);
      // What is left are names beyond the batch, and in the top what was lifted into it.
      if (result === ENOTEMPTY && names.length > 0) continue;
      check(result, 'rmdir', name);
      return;
    }
  }

  #remove(parent: Descriptor, name: Path, depth: number): void {
    const opened = openForRemoval(parent, name);
    if (opened === undefined) return;
    using directory = opened;
    if (depth < DEEPEST) this.directory(parent, name, directory, depth);
    else this.#lift(parent, name);
  }

  #lift(parent: Descriptor, name: Path): void {
    let result = EEXIST;
    // Whoever made the tree may have used such names.
    while (result === EEXIST) result = tryRename(parent, name, this.#top, `lifted-${++this.#lifted}`);
    check(result, 'renameat2', name);
  }
}

function firstNames(directory: Descriptor): Buffer[] {
  const entries = opendirSync(`/proc/self/fd/${directory.fd}`, { encoding: 'latin1' });
  try {
    const names: Buffer[] = [];
    for (let entry = entries.readSync(); entry !== null && names.length < BATCH; entry = entries.readSync())
      names.push(Buffer.from(entry.name, 'latin1'));
    return names;
  } finally {
    entries.closeSync();
  }
}

/**
 * Brings everything written to this directory's file system to the disk, while this program goes on. The directory stays open
 * until then.
 */
export async function syncFileSystem(directory: Descriptor): Promise<void> {
  // The errno is lost: what keeps a file system from being written is its disk.
  if ((await syncfs(directory.fd)) < 0) throw new SystemError('syncfs', EIO);
}
