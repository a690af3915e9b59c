import { SystemError } from '../src/native/errors.ts';
import { close, readNow, writeNow } from '../src/native/files.ts';
import type { Loop } from '../src/native/loop.ts';
import { openPipe } from '../src/native/pipes.ts';
import { Readiness } from '../src/native/readiness.ts';
import { DetachKeys } from '../src/supervisor/detach-keys.ts';

const READ_BYTES = 4096;

/** What is typed at the caller's terminal, on its way to the app by a pipe, but for the keys that detach. */
export class Typing {
  /** Where it comes out; whoever gets this fd owns it. */
  readonly output: number;
  readonly #terminal: number;
  readonly #write: number;
  readonly #keys: DetachKeys;
  readonly #readable: Readiness;
  readonly #writable: Readiness;
  readonly #detached: () => void;
  readonly #buffer = new Uint8Array(READ_BYTES);
  #rest: Uint8Array = new Uint8Array(0);
  #open = true;

  constructor(loop: Loop, terminal: number, keys: Uint8Array, detached: () => void) {
    const pipe = openPipe({ nonBlocking: true });
    this.output = pipe.read;
    this.#write = pipe.write;
    this.#terminal = terminal;
    this.#keys = new DetachKeys(keys);
    this.#detached = detached;
    this.#readable = new Readiness(loop, terminal, 'readable', () => this.#step(() => this.#read()));
    this.#writable = new Readiness(loop, pipe.write, 'writable', () => this.#step(() => this.#flush()));
    this.#readable.arm();
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#readable.close();
    this.#writable.close();
    close(this.#write);
  }

  #read(): void {
    const read = readNow(this.#terminal, this.#buffer);
    if (read === 0) {
      this.close();
      return;
    }
    const { forApp, detached } = this.#keys.typed(this.#buffer.subarray(0, read ?? 0));
    this.#rest = forApp;
    if (detached) {
      writeNow(this.#write, forApp);
      this.close();
      this.#detached();
    } else this.#flush();
  }

  #flush(): void {
    while (this.#rest.length > 0) {
      const written = writeNow(this.#write, this.#rest);
      if (written === undefined) {
        this.#writable.arm();
        return;
      }
      this.#rest = this.#rest.subarray(written);
    }
    this.#readable.arm();
  }

  /** The terminal, or the app, is gone: nothing is typed any more. */
  #step(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.close();
    }
  }
}
