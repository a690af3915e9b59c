import { printable } from './printable.ts';

/** More than anybody reads; a guest may go on warning for as long as its pod lives. */
const MOST = 200;
const CHARACTERS = 500;

/** What is shown and kept of a pod's warnings: the first ones, cut to a length. */
export class WarningLimit {
  #count = 0;

  /** The lines that this warning adds. */
  take(message: string): string[] {
    this.#count += 1;
    if (this.#count > MOST) return [];
    const line = printable(message).slice(0, CHARACTERS);
    return this.#count === MOST ? [line, `after ${MOST} warnings no more are shown`] : [line];
  }
}
