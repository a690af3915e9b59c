import { read } from './files.ts';

const CAPACITY = 128 * 1024;

/** What comes from a file or pipe, in the sizes that its reader wants. */
export class ByteInput {
  readonly #fd: number;
  readonly #buffer = new Uint8Array(CAPACITY);
  #start = 0;
  #end = 0;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Exactly so many bytes. @throws RangeError where the input ends before */
  take(length: number): Uint8Array {
    const taken = new Uint8Array(length);
    let at = 0;
    this.pass(length, (bytes) => {
      taken.set(bytes, at);
      at += bytes.length;
    });
    return taken;
  }

  /** The same, piece by piece; a piece is good until the next. */
  pass(length: number, give: (bytes: Uint8Array) => void): void {
    for (let left = length; left > 0; ) {
      if (this.#start === this.#end) this.#fill();
      const piece = this.#buffer.subarray(this.#start, Math.min(this.#end, this.#start + left));
      this.#start += piece.length;
      left -= piece.length;
      give(piece);
    }
  }

  /** Reads to the end, so that who writes is not cut off. */
  drain(): void {
    this.#start = this.#end;
    while (read(this.#fd, this.#buffer) > 0);
  }

  #fill(): void {
    this.#start = 0;
    this.#end = 0;
    // As much as there is room for: pipes give little at a time, and each write to a share is a question to the host.
    while (this.#end < CAPACITY) {
      const count = read(this.#fd, this.#buffer.subarray(this.#end));
      if (count === 0) break;
      this.#end += count;
    }
    if (this.#end === 0) throw new RangeError('the archive ends too early');
  }
}
