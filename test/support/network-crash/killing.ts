import { readFileSync } from 'node:fs';
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
  else if (way === 'leader') kill(leader);
  else killAll(scope);
}

/** Whoever is stopped at a system call goes on, as if nobody had watched. */
export function release(scope: ProcessScope): void {
  for (const { pid, name } of scope.processes()) if (name === 'strace') kill(pid);
}

/** Whom strace watches goes on when strace dies: it is the last one. Meanwhile all wait for the one that is stopped. */
function killAll(scope: ProcessScope): void {
  for (;;) {
    const living = scope.processes();
    const others = living.filter(({ name }) => name !== 'strace');
    if (living.length === 0) return;
    for (const { pid } of others.length > 0 ? others : living) kill(pid);
  }
}

/** Each plugin leads a group of its own. */
function groupOf(thread: number): number {
  return Number(/^\d+ \(.*\) \S \d+ (\d+)/s.exec(readFileSync(`/proc/${thread}/stat`, 'utf8'))?.[1]);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone in the meantime.
  }
}
