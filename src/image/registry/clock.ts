import { setTimeout as delay } from 'node:timers/promises';

/** Time and chance, which tests replace. All in milliseconds. */
export interface Clock {
  now(): number;
  /** @throws the signal's reason once it is aborted */
  sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void>;
  /** From 0 up to 1. */
  random(): number;
}

export const systemClock: Clock = {
  now: Date.now,
  random: Math.random,
  sleep: async (milliseconds, signal) => {
    try {
      await delay(milliseconds, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  },
};
