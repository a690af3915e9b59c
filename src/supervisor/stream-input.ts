import { duplicateAbove } from '../native/descriptors.ts';
import { SystemError } from '../native/errors.ts';
import { close, readNow, writeNow } from '../native/files.ts';
import type { Loop } from '../native/loop.ts';
import { openPipe } from '../native/pipes.ts';
import { Readiness } from '../native/readiness.ts';

const READ_BYTES = 16384;
const FIRST_FREE_FD = 3;

/** An app's input that several may write to, one after the other or at once. It ends with the app: whoever comes and goes does not end it. */
export class StreamInput {
  /** Where the app's stream begins; whoever gets this fd owns it. */
  readonly output: number;
  readonly #loop: Loop;
  readonly #write: number;
  readonly #pumps = new Set<Pump>();
  #open = true;

  constructor(loop: Loop) {
    const pipe = openPipe({ nonBlocking: true });
    this.#loop = loop;
    this.output = pipe.read;
    this.#write = pipe.write;
  }

  get isOpen(): boolean {
    return this.#open;
  }

  /** Carries what comes from `fd`, which is taken over, into the app. `ended` once, at its end or the app's; not after `close`. */
  add(fd: number, ended: () => void): Pump {
    const pump: Pump = new Pump(this.#loop, fd, duplicateAbove(this.#write, FIRST_FREE_FD), () => {
      this.#pumps.delete(pump);
      ended();
    });
    this.#pumps.add(pump);
    return pump;
  }

  remove(pump: Pump): void {
    this.#pumps.delete(pump);
    pump.close();
  }

  /** The app reads no more. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    close(this.#write);
    for (const pump of [...this.#pumps]) pump.end();
  }
}

/** Moves bytes from one fd to another, as they come and as they are taken. */
class Pump {
  readonly #from: number;
  readonly #to: number;
  readonly #ended: () => void;
  readonly #readable: Readiness;
  readonly #writable: Readiness;
  readonly #buffer = new Uint8Array(READ_BYTES);
  #rest: Uint8Array = new Uint8Array(0);
  #open = true;

  /** Takes both fds over. */
  constructor(loop: Loop, from: number, to: number, ended: () => void) {
    this.#from = from;
    this.#to = to;
    this.#ended = ended;
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
    this.#rest = this.#buffer.subarray(0, read ?? 0);
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
