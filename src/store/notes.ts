import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import type { ImageID } from '../appc/index.ts';
import { removeAny } from '../os/tree.ts';
import { namesIn } from './names.ts';

/** What a killed writer has left; one that lives takes milliseconds. */
const ABANDONED = 60_000;

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

/** Removes what `replaceFile` has left in a directory where it was killed. */
export function sweepTemporaries(directory: string): void {
  for (const name of namesIn(directory).filter(isTemporary)) {
    const path = join(directory, name);
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats !== undefined && Date.now() - stats.mtimeMs > ABANDONED) removeAny(path);
  }
}

function isTemporary(name: string): boolean {
  return name.endsWith('.tmp');
}
