import type { RootPlan, SharePlan } from '../src/abi/boot-plan.ts';
import { SystemError } from '../src/native/errors.ts';
import { rmdir } from '../src/native/paths.ts';
import { rootDirectory } from './root-directory.ts';

/**
 * Removes the directory that an app's root was in, which the host has emptied. The guest's kernel goes by what it remembers of a
 * share, and would give a later app of that name the root that was there before: what it has removed itself it looks up anew.
 */
export function forgetRoot(root: RootPlan, shares: readonly SharePlan[]): void {
  const directory = rootDirectory(root, shares);
  try {
    rmdir(directory.slice(0, directory.lastIndexOf('/')));
  } catch (error) {
    // What else an app has left there is the host's to deal with.
    if (!(error instanceof SystemError)) throw error;
  }
}
