import { realtime } from '../native/clock.ts';

/** The times of a pod's log records: in the order in which they were made, whatever is done to the host's clock. */
export class LogClock {
  #last = 0;

  /** Microseconds since 1970. */
  now(): number {
    const { seconds, nanoseconds } = realtime();
    this.#last = Math.max(this.#last + 1, seconds * 1e6 + Math.floor(nanoseconds / 1000));
    return this.#last;
  }
}
