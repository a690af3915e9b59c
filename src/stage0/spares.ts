/** Spare machines, as commands deal with them. They are made, kept and taken by the stage1. */
import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { SPARE, SPARES } from '../abi/spares.ts';
import { ensureLockFile, tryExclusive, tryShared } from '../os/lock.ts';
import { isSystemError } from '../os/syscall.ts';
import { isAt } from '../pod/pod.ts';

/** How many of a template wait for a pod now. */
export function countSpares(scopeDirectory: string, key: string): number {
  const directory = join(scopeDirectory, SPARES, key);
  return namesIn(directory).filter((slot) => isReady(join(directory, slot))).length;
}

function isReady(slot: string): boolean {
  if (!existsSync(join(slot, SPARE.socket))) return false;
  // Shared: who else looks meanwhile is not taken for its keeper.
  const isKept = ifThere(() => {
    using probe = tryShared(join(slot, SPARE.lock));
    return probe === undefined;
  });
  return isKept ?? false;
}

/** Takes away what keepers have left that were killed. Those that live end by themselves, with their template or their time. */
export function clearSpares(scopeDirectory: string): void {
  const spares = join(scopeDirectory, SPARES);
  for (const key of namesIn(spares)) {
    const directory = join(spares, key);
    for (const slot of namesIn(directory)) clearSlot(join(directory, slot));
    removeEmpty(directory);
  }
  removeEmpty(spares);
}

function clearSlot(slot: string): void {
  using lock = ifThere(() => tryExclusive(ensureLockFile(join(slot, SPARE.lock))));
  // Whoever had it may have removed it between open and lock, and another made the next of this name.
  if (lock === undefined || !isAt(lock.fd, lock.path)) return;
  // The lock last: nobody else begins here while something is left.
  for (const name of namesIn(slot).filter((name) => name !== SPARE.lock))
    rmSync(join(slot, name), { recursive: true, force: true });
  rmSync(lock.path, { force: true });
  removeEmpty(slot);
}

/** Unless somebody has just put something there. */
function removeEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'ENOTEMPTY')) throw error;
  }
}

function namesIn(directory: string): readonly string[] {
  return ifThere(() => readdirSync(directory).sort()) ?? [];
}

function ifThere<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}
