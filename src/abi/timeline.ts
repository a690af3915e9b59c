/**
 * What a pod passes on its way to running, noted by whoever leads it there: one line each, appended to the pod's `timeline`.
 * `SECONDS.NANOSECONDS NAME DETAIL...`, of the wall clock.
 */

/** In the order of a start. */
export type Mark =
  /** The command began that makes the pod. */
  | { readonly name: 'command' }
  /** There is a directory of the pod. */
  | { readonly name: 'created' }
  /** All images are in the store. */
  | { readonly name: 'fetched' }
  /** All files of the pod are written. */
  | { readonly name: 'prepared' }
  /** The command began that runs a prepared pod; then it had it. */
  | { readonly name: 'run-prepared' }
  | { readonly name: 'taken' }
  /** The stage1 runs: rkt-mount is done. */
  | { readonly name: 'supervisor' }
  /** The pod is on its networks. */
  | { readonly name: 'network' }
  /** What a machine, or namespaces, need is there; then what the pod lives in was started. */
  | { readonly name: 'set-up' }
  | { readonly name: 'machine' }
  | { readonly name: 'namespaces' }
  /** The guest's first word, and what it says of itself: milliseconds from its kernel's start, or that of its namespaces, to its init's, and to that word. */
  | { readonly name: 'hello'; readonly initMs: number; readonly helloMs: number }
  /** The guest is told what its pod is. */
  | { readonly name: 'plan' }
  | { readonly name: 'app'; readonly app: string }
  | { readonly name: 'ready' }
  /** All apps have ended. */
  | { readonly name: 'ended' };

/** A mark and when it was made, in nanoseconds since 1970. */
export type TimedMark = Mark & { readonly time: bigint };

/** What a start passes, times the apps of the largest pod; a file that is longer is not one of ours. */
const MOST_LINES = 4096;

export function formatMark(mark: Mark, seconds: number, nanoseconds: number): string {
  return `${[`${seconds}.${String(nanoseconds).padStart(9, '0')}`, mark.name, ...detailsOf(mark)].join(' ')}\n`;
}

function detailsOf(mark: Mark): string[] {
  switch (mark.name) {
    case 'hello':
      return [String(mark.initMs), String(mark.helloMs)];
    case 'app':
      return [mark.app];
    default:
      return [];
  }
}

/** The marks of a file, which may have been cut short in its last line. What is none, or of a later version, is left out. */
export function parseTimeline(text: string): TimedMark[] {
  const lines = text.split('\n').slice(0, -1);
  return lines.slice(0, MOST_LINES).flatMap((line) => parseLine(line) ?? []);
}

function parseLine(line: string): TimedMark | undefined {
  const [, seconds, nanoseconds, rest] = /^(\d{1,12})\.(\d{9}) (.*)$/.exec(line) ?? [];
  if (seconds === undefined || nanoseconds === undefined || rest === undefined) return undefined;
  const mark = parseMark(rest.split(' '));
  return mark === undefined ? undefined : { ...mark, time: BigInt(seconds + nanoseconds) };
}

const PLAIN = [
  ...(['command', 'created', 'fetched', 'prepared', 'run-prepared', 'taken'] as const),
  ...(['supervisor', 'network', 'set-up', 'machine', 'namespaces'] as const),
  ...(['plan', 'ready', 'ended'] as const),
];

function parseMark([word = '', ...details]: readonly string[]): Mark | undefined {
  const name = PLAIN.find((plain) => plain === word);
  if (name !== undefined) return details.length === 0 ? { name } : undefined;
  const [first = '', second = ''] = details;
  if (word === 'app' && details.length === 1 && first !== '') return { name: 'app', app: first };
  if (word !== 'hello' || details.length !== 2 || ![first, second].every(isMilliseconds)) return undefined;
  return { name: 'hello', initMs: Number(first), helloMs: Number(second) };
}

function isMilliseconds(text: string): boolean {
  return /^\d{1,10}$/.test(text);
}
