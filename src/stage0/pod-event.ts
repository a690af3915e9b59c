import type { AppRecord, PodRecord } from '../pod/record.ts';
import type { Phase, State } from '../pod/state.ts';

/** What happens to a pod, in the order of a life. */
export const EVENT_TYPES = [
  'created',
  'prepared',
  'aborted',
  'started',
  'app-started',
  'ready',
  'app-restarting',
  'app-exited',
  'paused',
  'resumed',
  'exited',
  'removed',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

export interface PodEvent {
  readonly type: EventType;
  /** Nanoseconds since 1970: of the file that says so, else of when it was noticed. */
  readonly time: bigint;
  /** The pod as it is then. Of one that was never seen whole only the UUID is known. */
  readonly uuid: string;
  readonly pod: PodRecord | undefined;
  readonly app?: string;
  /** Of an app or of a pod that has ended; absent when it was killed with its supervisor. */
  readonly exitCode?: number;
  /** How many starts again it makes, with this one. */
  readonly restarts?: number;
}

/** A pod as it was looked at, and what is known of its past. */
export interface Sight {
  readonly record: PodRecord;
  readonly exitCode: number | undefined;
  /** Where it has been, as far as that was noticed. */
  readonly passed: ReadonlySet<Phase>;
}

const HAS_RUN: readonly State[] = ['running', 'exited', 'exited garbage', 'exited deleting'];

/** What happens to a pod once: whether it has, and when. */
interface Milestone {
  readonly type: EventType;
  has(sight: Sight): boolean;
  time?(record: PodRecord): bigint | undefined;
}

const BEFORE_APPS: readonly Milestone[] = [
  { type: 'created', has: () => true, time: ({ created }) => created },
  { type: 'prepared', has: ({ passed }) => passed.has('prepared') },
  { type: 'aborted', has: ({ record }) => record.state === 'aborted prepare' },
  { type: 'started', has: ({ record }) => hasRun(record), time: ({ started }) => started },
];
const READY: Milestone = { type: 'ready', has: ({ record }) => record.isReady };

/**
 * All that has happened between two looks at a pod, oldest first: what came and went between them is told from what it has left. The
 * first look at a pod that has just been made has none before it.
 */
export function news(before: Sight | undefined, now: Sight, noticed: bigint): PodEvent[] {
  const { record } = now;
  const event = (type: EventType, time?: bigint, more: Partial<PodEvent> = {}): PodEvent => {
    return { type, time: time ?? noticed, uuid: record.uuid, pod: record, ...more };
  };
  const reached = (milestones: readonly Milestone[]) =>
    milestones
      .filter(({ has }) => has(now) && !(before !== undefined && has(before)))
      .map(({ type, time }) => event(type, time?.(record)));
  const apps = record.apps.map((app) => appNews(appBefore(before, app), before?.record, app, record, event));
  const of = (type: EventType) => apps.flat().filter((one) => one.type === type);
  const wasPaused = before?.record.isPaused ?? false;
  const ended = hasEnded(record) && !(before !== undefined && hasEnded(before.record));
  return [
    ...reached(BEFORE_APPS),
    ...of('app-started'),
    ...reached([READY]),
    ...(record.isPaused && !wasPaused ? [event('paused')] : []),
    ...(!record.isPaused && wasPaused && !ended ? [event('resumed')] : []),
    ...of('app-restarting'),
    ...of('app-exited'),
    ...(ended ? [event('exited', undefined, code(now.exitCode))] : []),
  ];
}

/** The end of a pod that is gone: what was last seen of it, if it ever was, where it has been since, and the code it has left. */
export function lastNews(
  before: Sight | undefined,
  uuid: string,
  last: Pick<Sight, 'passed' | 'exitCode'>,
  noticed: bigint,
): PodEvent[] {
  const pod = before?.record;
  const event = (type: EventType, more = {}): PodEvent => ({ type, time: noticed, uuid, pod, ...more });
  const passedUnseen = (phase: Phase) => last.passed.has(phase) && before?.passed.has(phase) !== true;
  const endUnseen = last.passed.has('run') && (pod === undefined || !hasEnded(pod));
  return [
    ...(before === undefined ? [event('created')] : []),
    ...(passedUnseen('prepared') ? [event('prepared')] : []),
    ...(passedUnseen('run') ? [event('started')] : []),
    ...(endUnseen ? [event('exited', code(last.exitCode))] : []),
    event('removed'),
  ];
}

type MakeEvent = (type: EventType, time?: bigint, more?: Partial<PodEvent>) => PodEvent;

function appBefore(before: Sight | undefined, { name }: AppRecord): AppRecord | undefined {
  return before?.record.apps.find((app) => app.name === name);
}

function appNews(
  before: AppRecord | undefined,
  podBefore: PodRecord | undefined,
  now: AppRecord,
  pod: PodRecord,
  event: MakeEvent,
): PodEvent[] {
  const app = now.name;
  const hadStarted = before !== undefined && podBefore !== undefined && appHasStarted(before, podBefore);
  // An app of a mutable pod may be started again after its end.
  const isStartedAgain =
    before?.exitCode !== undefined && now.exitCode === undefined && pod.state === 'running';
  const started = (appHasStarted(now, pod) && !hadStarted) || isStartedAgain;
  const first = restarts(before) + 1;
  const failures = Array.from(
    { length: Math.max(0, restarts(now) - first + 1) },
    (_, index) => first + index,
  );
  const ended =
    now.exitCode !== undefined && (before?.exitCode === undefined || now.finished !== before.finished);
  return [
    ...(started ? [event('app-started', now.started, { app })] : []),
    // Of several at once the codes of all but the last are not known any more.
    ...failures.map((count) =>
      event('app-restarting', undefined, {
        app,
        restarts: count,
        ...(count === failures.at(-1) ? code(now.lastExit) : {}),
      }),
    ),
    ...(ended ? [event('app-exited', now.finished, { app, ...code(now.exitCode) })] : []),
  ];
}

/** With the one that is about to be. */
function restarts(app: AppRecord | undefined): number {
  return app?.restarts ?? 0;
}

function appHasStarted(app: AppRecord, pod: PodRecord): boolean {
  if (app.state === 'created') return false;
  const hasOwnStart = app.started !== undefined && app.started !== pod.started;
  return pod.isReady || hasOwnStart || restarts(app) > 0;
}

function hasRun({ state }: PodRecord): boolean {
  return HAS_RUN.includes(state);
}

function hasEnded(record: PodRecord): boolean {
  return hasRun(record) && record.state !== 'running';
}

function code(exitCode: number | undefined): { readonly exitCode?: number } {
  return exitCode === undefined ? {} : { exitCode };
}
