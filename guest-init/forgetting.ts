import type { RootPlan, SharePlan } from '../src/abi/boot-plan.ts';
import { SystemError } from '../src/native/errors.ts';
import { rmdir } from '../src/native/paths.ts';
import { rootDirectory } from './root.ts';

/**
 * Removes the root's directory and the one it is in, which the host has emptied, by the guest's own kernel: that one goes by what
 * it remembers of a share, and would give a later app of that name the root that was there before.
 */
export function forgetRoot(root: RootPlan, shares: readonly SharePlan[]): void {
  const directory = rootDirectory(root, shares);
  for (const path of [directory, directory.slice(0, directory.lastIndexOf('/'))]) removeIfEmpty(path);
}

/** What an app has left there is the host's to deal with. */
function removeIfEmpty(path: string): void {
  try {
    rmdir(path);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
  }
}
