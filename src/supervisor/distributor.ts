import { close, read } from '../native/files.ts';
import type { Loop } from '../native/loop.ts';
import { bytesIn, emptyPipe, openPipe, spliceNow } from '../native/pipes.ts';
import { Readiness } from '../native/readiness.ts';
import type { LogWriter } from './log-writer.ts';
import { sizeTapPipe, TAP_PIPE_BYTES, Tap, type TapEnd } from './tap.ts';

/**
 * One output of an app on its way to everybody: what comes into a pipe is duplicated for each tap and then moved into the log. No byte
 * enters memory on the way to the log. Nothing is taken before all taps have passed on what they had: whoever reads slowly, or a slow
 * disk, slows the app.
 */
export class Distributor {
  /** Where the output goes in; whoever gets this fd owns it. With a feed nobody does. */
  readonly input: number;
  readonly #loop: Loop;
  readonly #source: number;
  readonly #feed: number | undefined;
  readonly #log: LogWriter | undefined;
  readonly #ended: () => void;
  readonly #readable: Readiness;
  readonly #taps = new Set<Tap>();
  #state: 'open' | 'ending' | 'ended' = 'open';

  /**
   * `ended`: all that came is in the log and with everyone who wanted it. `feed`, which is taken over: a pipe that all comes from, whose
   * other end an app has.
   */
  constructor(loop: Loop, log: LogWriter | undefined, ended: () => void, feed?: number) {
    // Of the size that each tap's has: what this one holds fits there.
    const pipe = openPipe({ nonBlocking: true });
    sizeTapPipe(pipe);
    this.input = pipe.write;
    this.#loop = loop;
    this.#source = pipe.read;
    this.#feed = feed;
    this.#log = log;
    this.#ended = ended;
    this.#readable = new Readiness(loop, feed ?? pipe.read, 'readable', () => this.#take());
    this.#readable.arm();
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /**
   * Somebody who gets what comes from now on, at `fd`, which is taken over; to be called while this is open. `closed` once, and not
   * for one whom `remove` takes away. With `patienceMs`, who takes nothing for so long is let go.
   */
  add(fd: number, closed: (end: TapEnd) => void, patienceMs?: number): Tap {
    const tap: Tap = new Tap(
      this.#loop,
      fd,
      {
        idle: () => this.#await(),
        closed: (end) => {
          this.#taps.delete(tap);
          closed(end);
          this.#await();
        },
      },
      patienceMs,
    );
    this.#taps.add(tap);
    return tap;
  }

  remove(tap: Tap): void {
    if (!this.#taps.delete(tap)) return;
    tap.close();
    this.#await();
  }

  /** Nothing more is taken. What has been, still goes where it should. */
  end(): void {
    if (this.#state !== 'open') return;
    this.#state = 'ending';
    this.#readable.close();
    close(this.#source);
    if (this.#feed !== undefined) for (const fd of [this.#feed, this.input]) close(fd);
    this.#log?.close();
    for (const tap of [...this.#taps]) tap.end();
    this.#await();
  }

  /** At once: what is here is still logged, but nobody is waited for. */
  close(): void {
    if (this.#state === 'open') this.#logRest();
    for (const tap of this.#taps) tap.close();
    this.#taps.clear();
    this.end();
  }

  /** No more than there is now: who writes has not ended. */
  #logRest(): void {
    for (let left = bytesIn(this.#feed ?? this.#source); left > 0; ) {
      this.#fill();
      const length = bytesIn(this.#source);
      if (length === 0) return;
      if (this.#log === undefined) emptyPipe(this.#source);
      else this.#log.take(this.#source);
      left -= length;
    }
  }

  /** From the feed comes what a tap's pipe holds: an app can make its own larger. 0: at its end, undefined: there is nothing (new). */
  #fill(): number | undefined {
    return this.#feed === undefined ? undefined : spliceNow(this.#feed, this.input, TAP_PIPE_BYTES);
  }

  #take(): void {
    const filled = this.#fill();
    const length = bytesIn(this.#source);
    if (length === 0) {
      // Readable and empty: nobody has the other end.
      if (this.#feed === undefined ? read(this.#source, new Uint8Array(1)) === 0 : filled === 0) this.end();
      else this.#await();
      return;
    }
    for (const tap of this.#taps) tap.copy(this.#source, length);
    if (this.#log === undefined) emptyPipe(this.#source);
    else this.#log.take(this.#source);
    for (const tap of [...this.#taps]) tap.pass();
    this.#await();
  }

  #await(): void {
    const busy = [...this.#taps].some((tap) => !tap.isIdle);
    if (this.#state === 'open' && !busy) this.#readable.arm();
    if (this.#state !== 'ending' || this.#taps.size > 0) return;
    this.#state = 'ended';
    this.#ended();
  }
}
