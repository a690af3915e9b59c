/** How long plugins may take. */

export type CniCommand = 'ADD' | 'DEL' | 'CHECK' | 'STATUS' | 'VERSION';

/** Milliseconds. An address may be asked for again and again before somebody answers; nobody waits that long for another thing. */
const LIMITS: Readonly<Record<CniCommand, number>> = {
  ADD: 120_000,
  DEL: 30_000,
  CHECK: 30_000,
  STATUS: 30_000,
  VERSION: 10_000,
};
/** Enough for what a plugin does on a host that is not at its end. */
const LEAST = 5000;

/** Of the next call, in milliseconds. `left` is what those before it have left of the time for all: the last ones get some, too. */
export function timeLimit(command: CniCommand, left = Number.POSITIVE_INFINITY): number {
  return Math.min(LIMITS[command], Math.max(LEAST, Math.floor(left)));
}
