/** Deadlines in order. Pure: the loop brings the clock. */
export interface ScheduledTimer {
  cancel(): void;
}

interface Entry {
  readonly deadline: number;
  readonly callback: () => void;
  cancelled: boolean;
}

export class Timers {
  #entries: Entry[] = [];

  add(deadline: number, callback: () => void): ScheduledTimer {
    const entry: Entry = { deadline, callback, cancelled: false };
    const after = this.#entries.findIndex((other) => other.deadline > deadline);
    this.#entries.splice(after === -1 ? this.#entries.length : after, 0, entry);
    return {
      cancel: () => {
        entry.cancelled = true;
        this.#entries = this.#entries.filter((other) => other !== entry);
      },
    };
  }

  /** The next deadline. */
  next(): number | undefined {
    return this.#entries[0]?.deadline;
  }

  /** Takes out what is due, one by one, in order. One callback may cancel a later one; what is added meanwhile has to wait. */
  *due(now: number): Generator<() => void> {
    for (const entry of this.#entries.filter(({ deadline }) => deadline <= now)) {
      if (entry.cancelled) continue;
      this.#entries = this.#entries.filter((other) => other !== entry);
      yield entry.callback;
    }
  }
}
