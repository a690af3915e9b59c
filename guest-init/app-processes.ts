/** Ending more than one process. */
import { readText } from '../src/native/contents.ts';
import { readdir } from '../src/native/directories.ts';
import { unless } from '../src/native/errors.ts';
import { kill } from '../src/native/processes.ts';

/** In /proc/PID/stat, behind the name in parentheses: state, parent, process group, session. */
const SESSION_FIELD = 3;

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

/** Undefined for one that has gone meanwhile. */
function sessionOf(pid: number): number | undefined {
  const stat = unless(['ENOENT', 'ESRCH'], () => readText(`/proc/${pid}/stat`));
  if (stat === undefined) return undefined;
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[SESSION_FIELD]);
}
