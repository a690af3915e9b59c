import type { Mark, TimedMark } from '../abi/timeline.ts';

/** The parts of a start; one of an app ends when that app runs. */
export type SpanName =
  | 'command'
  | 'fetch'
  | 'prepare'
  | 'wait'
  | 'mount'
  | 'network'
  | 'set-up'
  | 'vm'
  | 'kernel'
  | 'namespaces'
  | 'init'
  | 'app'
  | 'ready';

/** Times are nanoseconds, `start` from the first moment of all. */
export interface Span {
  readonly name: SpanName;
  readonly app?: string;
  readonly start: bigint;
  readonly duration: bigint;
}

export interface StartUp {
  /** One after the other, without a gap. */
  readonly spans: readonly Span[];
  /** All but the wait of a prepared pod for whoever runs it. */
  readonly work: bigint;
  readonly isReady: boolean;
  /** From the pod's being ready until all its apps had ended. */
  readonly ran?: bigint;
}

/** What ends with a mark; what begins a command ends nothing but a wait. */
const ENDS: Readonly<Record<Exclude<Mark['name'], 'hello' | 'ended'>, SpanName>> = {
  command: 'wait',
  created: 'command',
  fetched: 'fetch',
  prepared: 'prepare',
  'run-prepared': 'wait',
  taken: 'command',
  supervisor: 'mount',
  network: 'network',
  'set-up': 'set-up',
  machine: 'vm',
  namespaces: 'namespaces',
  plan: 'init',
  app: 'app',
  ready: 'ready',
};

/** Undefined when there is no mark. A clock that was set back makes parts empty, not negative. */
export function startUp(marks: readonly TimedMark[]): StartUp | undefined {
  const [first] = marks;
  if (first === undefined) return undefined;
  const spans: Span[] = [];
  const hasKernel = !marks.some(({ name }) => name === 'namespaces');
  let now = first.time;
  for (const mark of marks.slice(1)) {
    if (mark.name === 'ended') continue;
    const end = later(mark.time, now);
    for (const { end: partEnd, ...part } of parts(mark, now, end, hasKernel)) {
      append(spans, { ...part, start: now - first.time, duration: partEnd - now });
      now = partEnd;
    }
  }
  const isReady = marks.some(({ name }) => name === 'ready');
  const ended = marks.find(({ name }) => name === 'ended')?.time;
  const work = spans.reduce((sum, { name, duration }) => (name === 'wait' ? sum : sum + duration), 0n);
  const ran = isReady && ended !== undefined && ended > now ? { ran: ended - now } : {};
  return { spans, work, isReady, ...ran };
}

interface Part {
  readonly name: SpanName;
  readonly app?: string;
  readonly end: bigint;
}

/** What the time from the mark before to this one was. */
function parts(
  mark: TimedMark & { readonly name: keyof typeof ENDS | 'hello' },
  start: bigint,
  end: bigint,
  hasKernel: boolean,
): Part[] {
  if (mark.name === 'app') return [{ name: 'app', app: mark.app, end }];
  if (mark.name !== 'hello') return [{ name: ENDS[mark.name], end }];
  // A guest says what it likes; it cannot have begun before its machine, nor later than it has spoken.
  const within = (time: bigint, from: bigint) => (time > end ? end : later(time, from));
  const kernel = within(end - milliseconds(mark.helloMs), start);
  const init = within(kernel + milliseconds(mark.initMs), kernel);
  if (!hasKernel)
    return [
      { name: 'namespaces', end: init },
      { name: 'init', end },
    ];
  return [
    { name: 'vm', end: kernel },
    { name: 'kernel', end: init },
    { name: 'init', end },
  ];
}

/** A part that goes on is one with what it goes on from. */
function append(spans: Span[], span: Span): void {
  const last = spans.at(-1);
  if (last?.name !== span.name || last.app !== span.app) spans.push(span);
  else spans[spans.length - 1] = { ...last, duration: last.duration + span.duration };
}

function later(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}

function milliseconds(count: number): bigint {
  return BigInt(count) * 1_000_000n;
}
