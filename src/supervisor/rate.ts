/** Allows `burst` events at once and `perSecond` in the long run. */
export class RateLimit {
  #left: number;
  #at: number;

  constructor(
    private readonly burst: number,
    private readonly perSecond: number,
    now: number,
  ) {
    this.#left = burst;
    this.#at = now;
  }

  /** `now` in milliseconds. False: one event too many. */
  take(now: number): boolean {
    const earned = ((now - this.#at) / 1000) * this.perSecond;
    this.#left = Math.min(this.burst, this.#left + earned);
    this.#at = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
