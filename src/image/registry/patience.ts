import { ImageError } from '../error.ts';
import type { ImageEvent } from '../event.ts';
import type { Clock } from './clock.ts';
import { Refusal } from './refusal.ts';

export interface Patience {
  readonly clock: Clock;
  readonly signal: AbortSignal | undefined;
  readonly report: ((event: ImageEvent) => void) | undefined;
  /** How often to try where the server fails. */
  readonly tries: number;
  /** Whether a broken connection is tried again here, or by whoever knows how much has come already. */
  readonly reconnect: boolean;
}

export const MOST_TRIES = 5;
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 30_000;
/** All that a server that limits its requests gets of a user's time. */
const LONGEST_WAIT = 5 * 60_000;

/**
 * Does something again until it succeeds: as soon as a server that had too many requests says, with growing pauses where it failed or
 * could not be reached. What fails otherwise fails at once. `what` is told while waiting.
 */
export async function persist<T>(what: string, attempt: () => Promise<T>, patience: Patience): Promise<T> {
  const { clock, signal, report } = patience;
  for (let tries = 1, waited = 0; ; tries++) {
    signal?.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      const pause = pauseAfter(error, tries, patience);
      if (pause === undefined || waited + pause > LONGEST_WAIT) throw error;
      report?.({ kind: 'retry', what, reason: error.message, milliseconds: pause });
      await clock.sleep(pause, signal);
      waited += pause;
    }
  }
}

function pauseAfter(error: ImageError, tries: number, patience: Patience): number | undefined {
  const asked = error instanceof Refusal ? (error.retryAfter ?? 0) : 0;
  const pause = Math.max(asked, backOff(tries, patience.clock));
  switch (error.code) {
    case 'rate-limited':
      return patience.tries > 1 ? pause : undefined;
    case 'server':
      return tries < patience.tries ? pause : undefined;
    case 'network':
      return patience.reconnect && tries < patience.tries ? pause : undefined;
    default:
      return undefined;
  }
}

/** Twice as long each time, and not the same for all who were refused at once. */
function backOff(tries: number, clock: Clock): number {
  const longest = Math.min(FIRST_PAUSE * 2 ** (tries - 1), LONGEST_PAUSE);
  return Math.round(longest * (0.5 + clock.random() / 2));
}
