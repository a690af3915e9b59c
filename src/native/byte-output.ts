import { writeAll } from './files.ts';

const CAPACITY = 128 * 1024;

/** Gathers small pieces on their way to a file or pipe. */
export class ByteOutput {
  readonly #fd: number;
  readonly #buffer = new Uint8Array(CAPACITY);
  #length = 0;

  constructor(fd: number) {
    this.#fd = fd;
  }

  write(bytes: Uint8Array): void {
    if (this.#length + bytes.length > CAPACITY) this.flush();
    if (bytes.length >= CAPACITY) {
      writeAll(this.#fd, bytes);
      return;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  flush(): void {
    const length = this.#length;
    this.#length = 0;
    writeAll(this.#fd, this.#buffer.subarray(0, length));
  }
}
