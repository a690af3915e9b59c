/** What a plugin has started goes on when the plugin is killed with its supervisor: known by the lock that it has inherited. */
import { readdir } from '../../native/directories.ts';
import { unless } from '../../native/errors.ts';
import { close } from '../../native/files.ts';
import { killOpen, openProcess } from '../../native/processes.ts';
import { isSameFile, type Stat, stat } from '../../native/stat.ts';
import { LOCK_FD } from './program-run.ts';

const GONE = ['ENOENT', 'ESRCH', 'ENOTDIR', 'EACCES', 'EINVAL'];

/** Kills every process that has the file as plugins have their lock. */
export function endPluginsOf(lockFile: string): void {
  const lock = stat(lockFile);
  for (const name of readdir('/proc')) if (/^\d+$/.test(name)) endIfHolds(Number(name), lock);
}

function endIfHolds(pid: number, lock: Stat): void {
  // Opened before it is looked at: the process that is ended is the one that was seen.
  const process = unless(GONE, () => openProcess(pid));
  if (process === undefined) return;
  try {
    const held = unless(GONE, () => stat(`/proc/${pid}/fd/${LOCK_FD}`));
    if (held !== undefined && isSameFile(held, lock)) killOpen(process, 'SIGKILL');
  } finally {
    close(process);
  }
}
