import { readdirSync, rmSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { type Descriptor, openDirectory, tryOpenBeneath } from './descriptor.ts';
import { removeName, tryRemoveEmptyDirectory, tryRemoveName, tryRename } from './directory-entries.ts';
import { type DirectoryEntry, readEntries, rewind } from './directory-reading.ts';
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
  removeEntry(parent, { name, isDirectory: undefined });
}

/** As `removeTree`, all that is in a directory but what is to be kept. */
export function removeAllBut(directory: Descriptor, isKept: (name: string) => boolean): void {
  for (let entries = readEntries(directory); entries.length > 0; entries = readEntries(directory))
    for (const entry of entries) if (!isKept(entry.name.toString())) removeEntry(directory, entry);
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

type Entry = Omit<DirectoryEntry, 'name'> & { readonly name: Path };

function removeEntry(parent: Descriptor, entry: Entry): void {
  if (isRemovedAtOnce(parent, entry)) return;
  const opened = openForRemoval(parent, entry.name);
  if (opened === undefined) return;
  using top = opened;
  new Removal(top).directory(parent, entry.name, top, 0);
}

/** Most names can be removed without having been opened. What cannot is for whoever opens it, and finds out why. */
function isRemovedAtOnce(parent: Descriptor, { name, isDirectory }: Entry): boolean {
  const result = isDirectory === true ? tryRemoveEmptyDirectory(parent, name) : tryRemoveName(parent, name);
  return result === 0 || result === ENOENT;
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
    for (let isAtStart = true; ; ) {
      const entries = readEntries(directory);
      for (const entry of entries) this.#remove(directory, entry, depth + 1);
      const result = tryRemoveEmptyDirectory(parent, name);
      // What is left are names that are still to be read, and in the top what was lifted into it.
      if (result !== ENOTEMPTY || (isAtStart && entries.length === 0)) {
        check(result, 'rmdir', name);
        return;
      }
      isAtStart = entries.length === 0;
      if (isAtStart) rewind(directory);
    }
  }

  #remove(parent: Descriptor, entry: DirectoryEntry, depth: number): void {
    if (isRemovedAtOnce(parent, entry)) return;
    const opened = openForRemoval(parent, entry.name);
    if (opened === undefined) return;
    using directory = opened;
    if (depth < DEEPEST) this.directory(parent, entry.name, directory, depth);
    else this.#lift(parent, entry.name);
  }

  #lift(parent: Descriptor, name: Path): void {
    let result = EEXIST;
    // Whoever made the tree may have used such names.
    while (result === EEXIST) result = tryRename(parent, name, this.#top, `lifted-${++this.#lifted}`);
    check(result, 'renameat2', name);
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
