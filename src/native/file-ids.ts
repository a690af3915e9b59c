/** Whose a process is for file systems alone. */
import { raisePermitted } from './capability-words.ts';
import { call } from './syscall.ts';

/** Runs `action` as who has these ids where files are concerned, but with all capabilities. For root. */
export function withFileIds<T>(uid: number, gid: number, action: () => T): T {
  const before = { uid: call('setfsuid', uid), gid: call('setfsgid', gid) };
  try {
    // Who is not root there has lost those for files.
    raisePermitted();
    return action();
  } finally {
    call('setfsgid', before.gid);
    call('setfsuid', before.uid);
  }
}
