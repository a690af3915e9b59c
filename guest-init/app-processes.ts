/** Ending more than one process. */
import { readdir } from '../src/native/directories.ts';
import { unless } from '../src/native/errors.ts';
import { kill, sessionOf } from '../src/native/processes.ts';

/**
 * SIGKILL to everybody in a session, which is what an app's main process is started as the leader of. The leader's pid stays
 * taken as long as the session has a member. A fork may hide a process from the first look, so we look until there is no news.
 */
export function killSession(leader: number): void {
  const killed = new Set<number>();
  for (let before = -1; before < killed.size; ) {
    before = killed.size;
    for (const pid of membersOf(leader)) {
      unless(['ESRCH'], () => kill(pid, 'SIGKILL'));
      killed.add(pid);
    }
  }
}

/** All but PID 1 itself; nobody being left is no error. */
export function killEverybody(): void {
  unless(['ESRCH'], () => kill(-1, 'SIGKILL'));
}

function membersOf(session: number): number[] {
  const pids = readdir('/proc').map(Number).filter(Number.isSafeInteger);
  return pids.filter((pid) => sessionOf(pid) === session);
}
