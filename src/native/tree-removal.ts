import { entries } from './directories.ts';
import { rmdir, unlink } from './paths.ts';

/** A directory with all that is in it, of a file system that tells directories from files when it lists them, and of which nobody else changes anything. */
export function removeTree(path: string): void {
  for (const { name, kind } of entries(path)) {
    if (kind === 'directory') removeTree(`${path}/${name}`);
    else unlink(`${path}/${name}`);
  }
  rmdir(path);
}
