import { createHash, type Hash } from 'node:crypto';
import {
  closeSync,
  fchmodSync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs';
import type { DigestAlgorithm } from '../oci/index.ts';
import { openOwnFile } from '../os/shared-file.ts';

const READ_SIZE = 1024 * 1024;
/** For the group to read. Who could write to it could change what has been checked. */
const MODE = 0o640;

/**
 * A file that is being fetched, hashed as it grows. Readers may follow it from its beginning while it is written; what a
 * predecessor has left of it is hashed first and then counts as written.
 */
export class GrowingFile implements Disposable {
  readonly path: string;
  readonly #fd: number;
  readonly #algorithm: DigestAlgorithm;
  #hash: Hash;
  #length = 0;
  #state: 'growing' | 'complete' | { readonly error: unknown } = 'growing';
  #waiting: Array<() => void> = [];

  constructor(path: string, algorithm: DigestAlgorithm, what: 'resume' | 'restart') {
    this.path = path;
    this.#algorithm = algorithm;
    this.#hash = createHash(algorithm);
    this.#fd = openOwnFile(path, MODE);
    fchmodSync(this.#fd, MODE); // whatever the umask is
    if (what === 'resume') this.#adopt();
    else ftruncateSync(this.#fd);
  }

  /** By this path it is read as it is, whatever others put in the place of its name. */
  get ownPath(): string {
    return `/proc/self/fd/${this.#fd}`;
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  get isComplete(): boolean {
    return this.#state === 'complete';
  }

  append(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    for (let done = 0; done < chunk.length; )
      done += writeSync(this.#fd, chunk, done, chunk.length - done, this.#length + done);
    this.#length += chunk.length;
    this.#wake();
  }

  /** Begins anew: for a file that nobody follows. */
  restart(): void {
    ftruncateSync(this.#fd, 0);
    this.#hash = createHash(this.#algorithm);
    this.#length = 0;
  }

  /** Hex digest of all that has been written; the file grows no more and is on the disk. */
  finish(): string {
    fdatasyncSync(this.#fd);
    return this.#hash.digest('hex');
  }

  /** Readers come to their end. */
  complete(): void {
    this.#state = 'complete';
    this.#wake();
  }

  /** Readers get this error instead of the rest. */
  fail(error: unknown): void {
    if (this.#state === 'growing') this.#state = { error };
    this.#wake();
  }

  /** All bytes from the first on, as they come, of a file that is not complete yet. Its end means that it is. */
  async *follow(): AsyncGenerator<Uint8Array, void, undefined> {
    this.#refuseFailed();
    const fd = openSync(this.ownPath, 'r');
    try {
      for (let offset = 0; ; ) {
        const available = this.#length - offset;
        if (available > 0) {
          const chunk = Buffer.allocUnsafe(Math.min(available, READ_SIZE));
          const length = readSync(fd, chunk, 0, chunk.length, offset);
          offset += length;
          yield chunk.subarray(0, length);
        } else if (this.isComplete) return;
        else await new Promise<void>((resolve) => this.#waiting.push(resolve));
        this.#refuseFailed();
      }
    } finally {
      closeSync(fd);
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  #adopt(): void {
    const size = fstatSync(this.#fd).size;
    const chunk = Buffer.allocUnsafe(READ_SIZE);
    while (this.#length < size) {
      const length = readSync(this.#fd, chunk, 0, READ_SIZE, this.#length);
      if (length === 0) return;
      this.#hash.update(chunk.subarray(0, length));
      this.#length += length;
    }
  }

  #refuseFailed(): void {
    if (typeof this.#state === 'object') throw this.#state.error;
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
