import { closeSync, constants, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';

/** Levels made by one path: a longer one is walked again for each of its levels. */
const STRIDE = 50;

/**
 * Directories nested deeper than any path reaches, as a guest makes them by `mkdir d; cd d`. `fill` is given a path to the
 * deepest, good for the length of the call.
 */
export function makeDeepDirectory(top: string, levels: number, fill: (deepest: string) => void): void {
  let here = openSync(top, constants.O_RDONLY | constants.O_DIRECTORY);
  for (let left = levels; left > 0; left -= STRIDE) {
    const path = join(`/proc/self/fd/${here}`, ...Array.from({ length: Math.min(left, STRIDE) }, () => 'd'));
    mkdirSync(path, { recursive: true });
    const below = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
    closeSync(here);
    here = below;
  }
  fill(`/proc/self/fd/${here}`);
  closeSync(here);
}
