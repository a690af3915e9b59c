import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ImageID } from '../appc/index.ts';
import { namesIn } from './names.ts';

/** Removes notes on images that are gone, and those that cannot be read. */
export function sweepNotes(
  directory: string,
  read: (path: string) => { readonly id: ImageID } | undefined,
  isGone: (id: ImageID) => boolean,
): void {
  for (const name of namesIn(directory)) {
    const path = join(directory, name);
    const note = read(path);
    if (note === undefined || isGone(note.id)) rmSync(path, { force: true });
  }
}
