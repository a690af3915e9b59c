import { readFileSync } from 'node:fs';
import { eventually } from '../polling.ts';
import type { ProcessScope } from '../process-scope.ts';

/**
 * Who dies at a system call: the plugin that makes it, or has started who does, with all that it has started; all that has come from the
 * command, at once; or the one that leads, the supervisor or the collector, which leaves the others to themselves.
 */
export const WAYS = ['plugin', 'everything', 'leader'] as const;
export type Way = (typeof WAYS)[number];

export interface Victims {
  /** Stopped at the call. */
  readonly thread: number;
  readonly leader: number;
  readonly scope: ProcessScope;
}

export async function killAt(way: Way, { thread, leader, scope }: Victims): Promise<void> {
  if (way === 'plugin') kill(-groupOf(thread));
  else if (way === 'leader') {
    kill(leader);
    // Who looks at the pod before finds it running, and leaves it alone.
    await eventually('the leader has ended', () => !lives(leader));
  } else await killAll(scope);
}

/** Whoever is stopped at a system call goes on, as if nobody had watched. */
export function release(scope: ProcessScope): void {
  for (const { pid, name } of scope.processes()) if (name === 'strace') kill(pid);
}

/**
 * Whom strace watches goes on when strace dies: it is the last one. Who is killed already makes no call then; but strace keeps it from
 * its end until the call's delay is over, so that nobody is waited for before.
 */
async function killAll(scope: ProcessScope): Promise<void> {
  const killed = new Set<number>();
  for (;;) {
    const others = scope.processes().filter(({ pid, name }) => name !== 'strace' && !killed.has(pid));
    if (others.length === 0) break;
    for (const { pid } of others) {
      kill(pid);
      killed.add(pid);
    }
  }
  await eventually('all have ended', () => {
    // One that was just being started may not have been there.
    for (const { pid } of scope.processes()) kill(pid);
    return scope.processes().length === 0;
  });
}

/** Each plugin leads a group of its own. */
function groupOf(thread: number): number {
  return Number(/^\d+ \(.*\) \S \d+ (\d+)/s.exec(readFileSync(`/proc/${thread}/stat`, 'utf8'))?.[1]);
}

/** A dead one has no files any more, and so no locks, whoever has yet to wait for it. */
function lives(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone in the meantime.
  }
}
