/** The processes that a machine consists of. */
import { unless } from '../src/native/errors.ts';
import type { Loop } from '../src/native/loop.ts';
import { type Exit, kill } from '../src/native/processes.ts';
import type { OwnEnds } from './wires.ts';

export interface Member {
  readonly name: string;
  readonly pid: number;
  /** `ended` is told once: nothing is left of it then. */
  watch(loop: Loop, ended: (exit: Exit) => void): void;
  /** At once, if it is still there. */
  kill(): void;
}

/** Those of one start, and what connects them with this process. */
export interface MachineParts {
  readonly own: OwnEnds;
  readonly members: readonly Member[];
}

/** One of our own. */
export function childMember(name: string, pid: number): Member {
  return {
    name,
    pid,
    watch: (loop, ended) => {
      loop.onExit(pid, ({ exit }) => ended(exit));
    },
    kill: () => unless(['ESRCH'], () => kill(pid, 'SIGKILL')),
  };
}
