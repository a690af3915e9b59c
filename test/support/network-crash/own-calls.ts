import { readFileSync } from 'node:fs';
import type { CallPoint } from '../crash/system-calls.ts';

/** The calls of a recorded `rkt run` from when its supervisor leaves the host's network on; each counted from the program's start. */
export function ownCalls(log: string): CallPoint[] {
  // The first execve is strace's own, and counts for nothing.
  const counts = new Map([['execve', -1]]);
  let isSupervisor = false;
  return readFileSync(log, 'utf8')
    .split('\n')
    .flatMap((line): CallPoint[] => {
      const call = /^(\w+)\(/.exec(line)?.[1];
      if (call === undefined) return [];
      const nth = (counts.get(call) ?? 0) + 1;
      counts.set(call, nth);
      isSupervisor ||= /^unshare\(.*CLONE_NEWNET/.test(line);
      return isSupervisor ? [{ call, nth, moment: 'run' }] : [];
    });
}
