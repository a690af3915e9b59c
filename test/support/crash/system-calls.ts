import { readFileSync } from 'node:fs';
import type { Phase } from '../../../src/pod/state.ts';

/** Those at which a program leaves a mark on the machine, or on another program. The kernel's names. */
const CALLS: readonly string[] = [
  ...[
    'rename',
    'renameat',
    'renameat2',
    'link',
    'linkat',
    'symlink',
    'symlinkat',
    'unlink',
    'unlinkat',
    'rmdir',
  ],
  ...[
    'mkdir',
    'mkdirat',
    'chmod',
    'fchmod',
    'fchmodat',
    'chown',
    'fchown',
    'fchownat',
    'ftruncate',
    'fsync',
    'flock',
  ],
  ...['mount', 'umount2', 'move_mount', 'open_tree', 'fsmount', 'fsconfig', 'mount_setattr', 'pivot_root'],
  ...['clone', 'clone3', 'fork', 'vfork', 'execve', 'unshare', 'setns', 'kill', 'pidfd_send_signal'],
  ...['socketpair', 'bind', 'listen', 'connect', 'accept4', 'sendmsg', 'sendto', 'shutdown'],
];

/** Where a pod's directory was when a program made a call; `none`: not made yet, `gone`: removed. */
export type Moment = Phase | 'none' | 'gone';

/** A place in a program's run: its nth call of a name. */
export interface CallPoint {
  readonly call: string;
  /** From 1. */
  readonly nth: number;
  readonly moment: Moment;
}

/** The argv that runs another and notes every such call of it, until its end, whatever it becomes by execve. */
export function recorded(log: string, argv: readonly string[]): string[] {
  return strace(log, [`trace=${CALLS.join(',')}`], argv);
}

/** The argv that runs another, which dies at the point's call, before the call does anything. */
export function killedAt({ call, nth }: CallPoint, log: string, argv: readonly string[]): string[] {
  return strace(log, [`trace=${call}`, `inject=${call}:signal=KILL:when=${nth}`], argv);
}

function strace(log: string, expressions: readonly string[], argv: readonly string[]): string[] {
  // Not what it starts: emulating a machine has no time for that.
  return ['strace', `--output=${log}`, ...expressions.flatMap((each) => ['-e', each]), ...argv];
}

/** Whether a run was killed. */
export function wasKilled(log: string): boolean {
  return /^\+\+\+ killed by SIGKILL/m.test(readFileSync(log, 'utf8'));
}

/**
 * The calls of a recorded program, each with where the pod's directory was: where it `starts`, and
 * then as the program moves it.
 */
export function readRecording(log: string, starts: Moment): CallPoint[] {
  const lines = readFileSync(log, 'utf8').split('\n');
  // The first is strace's own, and counts for nothing.
  const counts = new Map([['execve', -1]]);
  let moment = starts;
  return lines.flatMap((line): CallPoint[] => {
    const call = /^(\w+)\(/.exec(line)?.[1];
    if (call === undefined) return [];
    const nth = (counts.get(call) ?? 0) + 1;
    counts.set(call, nth);
    const point = { call, nth, moment };
    moment = momentAfter(line) ?? moment;
    return isOfUse(line, point) ? [point] : [];
  });
}

/** A program is looked for in many places, and threads begin when the engine likes. */
function isOfUse(line: string, { call, nth }: CallPoint): boolean {
  if (call === 'execve') return nth > 0 && !line.includes(' = -1 ');
  return !line.includes('CLONE_THREAD');
}

const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const PHASE = 'embryo|prepare|prepared|run|exited-garbage|garbage';
const MADE = new RegExp(`mkdir\\(".*/pods/(embryo)/${UUID}",`);
const MOVED = new RegExp(`rename\\(".*/${UUID}", ".*/pods/(${PHASE})/${UUID}"\\)`);
const REMOVED = new RegExp(`unlinkat\\(\\d+, "${UUID}", AT_REMOVEDIR\\) += 0`);

function momentAfter(line: string): Moment | undefined {
  if (REMOVED.test(line)) return 'gone';
  return (MADE.exec(line)?.[1] ?? MOVED.exec(line)?.[1]) as Phase | undefined;
}
