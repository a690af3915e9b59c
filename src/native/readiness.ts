import type { Handlers, Loop, Watch } from './loop.ts';

/**
 * Waits, once for each `arm`, until a fd can be read or written. Level-triggered events of a fd that nobody serves
 * at the moment would keep the loop spinning; so it is watched only while somebody waits for it.
 */
export class Readiness {
  readonly #loop: Loop;
  readonly #fd: number;
  readonly #ready: () => void;
  readonly #handlers: Handlers;
  #watch: Watch | undefined;
  #isWatched = false;
  #state: 'idle' | 'armed' | 'firing' = 'idle';

  constructor(loop: Loop, fd: number, direction: 'readable' | 'writable', ready: () => void) {
    this.#loop = loop;
    this.#fd = fd;
    this.#ready = ready;
    this.#handlers = { [direction]: () => this.#fire() };
  }

  arm(): void {
    this.#state = 'armed';
    if (this.#isWatched) return;
    this.#isWatched = true;
    if (this.#watch === undefined) this.#watch = this.#loop.watch(this.#fd, this.#handlers);
    else this.#watch.update(this.#handlers);
  }

  disarm(): void {
    if (this.#state === 'armed') this.#rest();
  }

  /** Before the fd is closed. */
  close(): void {
    this.#watch?.close();
    this.#watch = undefined;
    this.#isWatched = false;
  }

  /** Who waits again before it returns, as the reader of a busy stream does, costs no system call. */
  #fire(): void {
    this.#state = 'firing';
    this.#ready();
    if (this.#state === 'firing') this.#rest();
  }

  #rest(): void {
    this.#state = 'idle';
    if (!this.#isWatched) return;
    this.#isWatched = false;
    this.#watch?.update({});
  }
}
