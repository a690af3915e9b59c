import { duplicateAbove } from '../../native/descriptors.ts';
import { writeNow } from '../../native/files.ts';
import type { Loop } from '../../native/loop.ts';
import { openPipe } from '../../native/pipes.ts';
import { DetachKeys } from '../detach-keys.ts';
import { Pump } from '../pump.ts';

const FIRST_FREE_FD = 3;

/** What is typed at the caller's terminal, on its way to the app by a pipe, but for the keys that detach. */
export class Typing {
  /** Where it comes out; whoever gets this fd owns it. */
  readonly output: number;
  readonly #keys: DetachKeys;
  readonly #pump: Pump;
  #isDetached = false;

  /** When the terminal, or the app, is gone, nothing is typed any more, and nobody is told. */
  constructor(loop: Loop, terminal: number, keys: Uint8Array, detached: () => void) {
    const pipe = openPipe({ nonBlocking: true });
    this.output = pipe.read;
    this.#keys = new DetachKeys(keys);
    const ended = () => {
      if (this.#isDetached) detached();
    };
    const filter = (bytes: Uint8Array) => this.#typed(bytes, pipe.write);
    this.#pump = new Pump(loop, duplicateAbove(terminal, FIRST_FREE_FD), pipe.write, ended, filter);
  }

  close(): void {
    this.#pump.close();
  }

  #typed(bytes: Uint8Array, write: number): Uint8Array | undefined {
    const { forApp, detached } = this.#keys.typed(bytes);
    if (!detached) return forApp;
    this.#isDetached = true;
    writeNow(write, forApp);
    return undefined;
  }
}
