import { readdirSync, readlinkSync } from 'node:fs';
import { setImmediate as nextCycle } from 'node:timers/promises';

/** Closing what a failed stream had open takes a moment, which is another thread's. In milliseconds. */
const SETTLING = 2000;

/** What this process has open for good, and what else it has not closed. */
export class OpenFiles {
  readonly #before = openFiles();

  /** What is open by now and stays so, though `close` is called again and again; undefined when there is nothing. */
  async left(close: () => void): Promise<string | undefined> {
    const until = performance.now() + SETTLING;
    for (;;) {
      close();
      const left = openFiles().filter((file) => !this.#before.includes(file));
      if (left.length === 0) return undefined;
      if (performance.now() > until) return `left open: ${left.join(', ')}`;
      await nextCycle();
    }
  }
}

/** By what they are, not by number: `/a/file`, `pipe:[1234]`. */
function openFiles(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      // The one that this directory was read with.
      return [];
    }
  });
}
