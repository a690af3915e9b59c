import type { Loop, Watch } from './loop.ts';

/**
 * Waits, once for each `arm`, until a fd can be read or written. Level-triggered events of a fd that nobody serves
 * at the moment would keep the loop spinning; so it is watched only while somebody waits for it.
 */
export class Readiness {
  #watch: Watch | undefined;

  constructor(
    private readonly loop: Loop,
    private readonly fd: number,
    private readonly direction: 'readable' | 'writable',
    private readonly ready: () => void,
  ) {}

  arm(): void {
    const handlers = { [this.direction]: () => this.#fire() };
    if (this.#watch === undefined) this.#watch = this.loop.watch(this.fd, handlers);
    else this.#watch.update(handlers);
  }

  disarm(): void {
    this.#watch?.update({});
  }

  /** Before the fd is closed. */
  close(): void {
    this.#watch?.close();
    this.#watch = undefined;
  }

  #fire(): void {
    this.disarm();
    this.ready();
  }
}
