import { PodError } from './errors.ts';

/** Where a pod's directory is; moving it is one rename(2). The order is the order of a life: edges lead down only. */
export const PHASES = ['embryo', 'prepare', 'prepared', 'run', 'exited-garbage', 'garbage'] as const;
export type Phase = (typeof PHASES)[number];

/** What users see, in rkt's words. */
export type State =
  | 'embryo'
  | 'preparing'
  | 'aborted prepare'
  | 'prepared'
  | 'running'
  | 'exited'
  | 'exited deleting'
  | 'exited garbage'
  | 'deleting'
  | 'garbage';

interface Row {
  readonly locked: State;
  readonly unlocked: State;
  readonly next: readonly Phase[];
}

/**
 * The whole life of a pod. Its state is the directory it is in, and whether somebody holds the lock on it: the
 * process that makes it, its supervisor, or the one that removes it. Who dies, by whatever signal, lets go of the lock, so
 * there is no state that needs somebody to clean up behind a crash before it can be read.
 */
const LIFE: Readonly<Record<Phase, Row>> = {
  embryo: { locked: 'embryo', unlocked: 'embryo', next: ['prepare', 'garbage'] },
  prepare: { locked: 'preparing', unlocked: 'aborted prepare', next: ['prepared', 'run', 'garbage'] },
  prepared: { locked: 'prepared', unlocked: 'prepared', next: ['run', 'garbage'] },
  run: { locked: 'running', unlocked: 'exited', next: ['exited-garbage'] },
  'exited-garbage': { locked: 'exited deleting', unlocked: 'exited garbage', next: [] },
  garbage: { locked: 'deleting', unlocked: 'garbage', next: [] },
};

export const STATES: readonly State[] = [
  ...new Set(Object.values(LIFE).flatMap(({ locked, unlocked }) => [locked, unlocked])),
];

export function stateOf(phase: Phase, isLocked: boolean): State {
  return isLocked ? LIFE[phase].locked : LIFE[phase].unlocked;
}

/** Throws PodError `bad-transition` when a life does not lead from `from` to `to`. */
export function checkEdge(from: Phase, to: Phase): void {
  if (!LIFE[from].next.includes(to))
    throw new PodError('bad-transition', `a pod does not move from ${from} to ${to}`);
}
