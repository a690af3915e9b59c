import { duplicateAbove } from '../native/descriptors.ts';
import { close } from '../native/files.ts';
import type { Loop } from '../native/loop.ts';
import { openPipe } from '../native/pipes.ts';
import { Pump } from './pump.ts';

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
