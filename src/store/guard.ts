import { chmodSync, lstatSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import { StoreError } from './error.ts';
import type { StorePaths } from './layout.ts';

const OTHERS_WRITE = 0o022;
const OTHERS = 0o077;

/**
 * For root, before it believes anything in the store: a store that is there may be rkt's own, whose `cas` and `tmp` the group could write to.
 * Who may write to a directory can put another one in the place of each that is in it, and root would run what is in there.
 * Top down: what is in a directory cannot be exchanged any more when it is looked at. @throws StoreError unsafe
 */
export function guardStore(paths: StorePaths): void {
  if (process.geteuid?.() !== 0) return;
  for (const path of [dirname(paths.blob), paths.blob]) close(path, OTHERS_WRITE);
  // Nothing in here is believed: what is not the maker's own goes.
  close(paths.tmp, OTHERS);
  for (const path of [paths.layer, paths.stage1, paths.source]) requireClosed(path);
}

/** Takes away what others may. What they have had open does not help them: the kernel asks for each name. */
function close(path: string, mask: number): void {
  const stats = ownStats(path);
  if (stats === undefined || stats.isSymbolicLink() || (stats.mode & mask) === 0) return;
  chmodSync(path, stats.mode & 0o7777 & ~mask);
}

/** What others could have put in there is not known. */
function requireClosed(path: string): void {
  const stats = ownStats(path);
  if (stats !== undefined && !stats.isSymbolicLink() && (stats.mode & OTHERS) !== 0)
    throw unsafe(path, 'is open to others than root');
}

/** An administrator may have put a link in the place of a directory, others may not. */
function ownStats(path: string): Stats | undefined {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats !== undefined && stats.uid !== 0)
    throw unsafe(path, `belongs to the user ${stats.uid}, not to root`);
  return stats;
}

function unsafe(path: string, problem: string): StoreError {
  return new StoreError(
    'unsafe',
    `${path} ${problem}: whoever that is could have root run what they like (remove it, and the images in the store)`,
  );
}
