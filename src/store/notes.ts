import { join } from 'node:path';
import type { ImageID } from '../appc/index.ts';
import { removeAny } from '../os/tree.ts';
import type { StoreLocks } from './locks.ts';
import { namesIn } from './names.ts';

const TEMPORARY = '.tmp';

/** Removes notes on images that are gone, and those that cannot be read. */
export function sweepNotes(
  directory: string,
  read: (path: string) => { readonly id: ImageID } | undefined,
  isGone: (id: ImageID) => boolean,
): void {
  for (const name of namesIn(directory)) {
    const path = join(directory, name);
    // Somebody may be writing it: half a note is none that cannot be read.
    if (isTemporary(name)) continue;
    const note = read(path);
    if (note === undefined || isGone(note.id)) removeAny(path);
  }
}

/**
 * Removes what `replaceFile` has left in a directory where it was killed. `lockOf` names the lock that the writer of a file has;
 * undefined: nobody writes such a file.
 */
export function sweepTemporaries(
  directory: string,
  locks: StoreLocks,
  lockOf: (name: string) => string | undefined,
): void {
  for (const name of namesIn(directory).filter(isTemporary)) {
    const lockName = lockOf(name.slice(0, -TEMPORARY.length));
    const lock = lockName === undefined ? undefined : locks.tryExclusive(lockName);
    if (lockName === undefined || lock === undefined) continue;
    removeAny(join(directory, name));
    locks.retire(lockName, lock);
  }
}

function isTemporary(name: string): boolean {
  return name.endsWith(TEMPORARY);
}
