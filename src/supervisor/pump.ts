import { SystemError } from '../native/errors.ts';
import { close, readNow, writeNow } from '../native/files.ts';
import type { Loop } from '../native/loop.ts';
import { Readiness } from '../native/readiness.ts';

const READ_BYTES = 16384;

/** What of the bytes that have come goes on; undefined: nothing ever does any more. */
type Filter = (bytes: Uint8Array) => Uint8Array | undefined;

/** Moves bytes from one fd to another, as they come and as they are taken. */
export class Pump {
  readonly #from: number;
  readonly #to: number;
  readonly #ended: () => void;
  readonly #filter: Filter;
  readonly #readable: Readiness;
  readonly #writable: Readiness;
  readonly #buffer = new Uint8Array(READ_BYTES);
  #rest: Uint8Array = new Uint8Array(0);
  #open = true;

  /** Takes both fds over. `ended`: there is no more, or nobody who takes it; not after `close`. */
  constructor(loop: Loop, from: number, to: number, ended: () => void, filter: Filter = (bytes) => bytes) {
    this.#from = from;
    this.#to = to;
    this.#ended = ended;
    this.#filter = filter;
    this.#readable = new Readiness(loop, from, 'readable', () => this.#step(() => this.#read()));
    this.#writable = new Readiness(loop, to, 'writable', () => this.#step(() => this.#flush()));
    this.#readable.arm();
  }

  end(): void {
    if (!this.#open) return;
    this.close();
    this.#ended();
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#readable.close();
    this.#writable.close();
    close(this.#from);
    close(this.#to);
  }

  #read(): void {
    const read = readNow(this.#from, this.#buffer);
    if (read === 0) {
      this.end();
      return;
    }
    const rest = this.#filter(this.#buffer.subarray(0, read ?? 0));
    if (rest === undefined) {
      this.end();
      return;
    }
    this.#rest = rest;
    this.#flush();
  }

  #flush(): void {
    while (this.#rest.length > 0) {
      const written = writeNow(this.#to, this.#rest);
      if (written === undefined) {
        this.#writable.arm();
        return;
      }
      this.#rest = this.#rest.subarray(written);
    }
    this.#readable.arm();
  }

  /** Whichever of the two is gone: it is over. */
  #step(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.end();
    }
  }
}
