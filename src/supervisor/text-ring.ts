import { concat } from '../native/bytes.ts';
import { utf8Decode } from '../native/engine.ts';
import { printableLines } from './printable.ts';

/** Remembers the end of what a guest or a program prints, however much it prints. */
export class TextRing {
  #chunks: Uint8Array[] = [];
  #size = 0;

  constructor(private readonly capacity: number) {}

  add(bytes: Uint8Array): void {
    this.#chunks.push(bytes.slice());
    this.#size += bytes.length;
    // In portions, so that printing a byte at a time does not cost a copy of everything.
    if (this.#size > 2 * this.capacity || this.#chunks.length > 256) this.#compact();
  }

  /** The last lines, fit for printing. */
  lastLines(count: number): string[] {
    this.#compact();
    const text = utf8Decode(this.#chunks[0] ?? new Uint8Array(0));
    return count === 0 ? [] : printableLines(text).slice(-count);
  }

  #compact(): void {
    const whole = concat(this.#chunks);
    const kept = whole.slice(Math.max(0, whole.length - this.capacity));
    this.#chunks = [kept];
    this.#size = kept.length;
  }
}
