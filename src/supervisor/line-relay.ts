import { SystemError } from '../native/errors.ts';
import { close, readNow, writeNow } from '../native/files.ts';
import type { Loop } from '../native/loop.ts';
import { openPipe } from '../native/pipes.ts';
import { Readiness } from '../native/readiness.ts';
import { LinePrefix } from './line-prefix.ts';

const READ_BYTES = 16384;

/** Carries a stream of an app to a terminal, with a label before each line. What the terminal does not take waits here. */
export class LineRelay {
  /** Where the stream's bytes go in; whoever gets this fd owns it. */
  readonly input: number;
  readonly #output: number;
  readonly #source: number;
  readonly #readable: Readiness;
  readonly #writable: Readiness;
  readonly #prefix: LinePrefix;
  readonly #buffer = new Uint8Array(READ_BYTES);
  #pending: Uint8Array = new Uint8Array(0);
  #ended = false;

  /** Takes `output`, a non-blocking fd, over. */
  constructor(
    loop: Loop,
    output: number,
    label: () => string,
    private readonly finished: () => void,
  ) {
    const pipe = openPipe({ nonBlocking: true });
    this.input = pipe.write;
    this.#source = pipe.read;
    this.#output = output;
    this.#prefix = new LinePrefix(label);
    this.#readable = new Readiness(loop, pipe.read, 'readable', () => this.#read());
    this.#writable = new Readiness(loop, output, 'writable', () => this.#write());
    this.#readable.arm();
  }

  #read(): void {
    const read = readNow(this.#source, this.#buffer);
    if (read === undefined) {
      this.#readable.arm();
      return;
    }
    this.#ended = read === 0;
    this.#pending = this.#ended ? this.#prefix.end() : this.#prefix.add(this.#buffer.subarray(0, read));
    this.#write();
  }

  #write(): void {
    while (this.#pending.length > 0) {
      const written = this.#tryWrite();
      if (written === undefined) {
        this.#writable.arm();
        return;
      }
      this.#pending = this.#pending.subarray(written);
    }
    if (this.#ended) this.#finish();
    else this.#readable.arm();
  }

  /** A terminal that is gone takes everything. */
  #tryWrite(): number | undefined {
    try {
      return writeNow(this.#output, this.#pending);
    } catch (error) {
      if (error instanceof SystemError) return this.#pending.length;
      throw error;
    }
  }

  #finish(): void {
    this.#readable.close();
    this.#writable.close();
    close(this.#source);
    close(this.#output);
    this.finished();
  }
}
