/** Pieces that are smaller share one of these. */
const CHUNK_BYTES = 16384;

interface Chunk {
  readonly bytes: Uint8Array;
  /** The bytes in use are those from `start` to `end`. */
  start: number;
  end: number;
}

/** Bytes that wait for whoever takes them, in order. In however small pieces they come and go, each byte costs the same. */
export class ByteQueue {
  readonly #chunks: Chunk[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The bytes are copied. */
  add(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const chunk = this.#room(bytes.length - at);
      const part = bytes.subarray(at, at + chunk.bytes.length - chunk.end);
      chunk.bytes.set(part, chunk.end);
      chunk.end += part.length;
      at += part.length;
    }
    this.#length += bytes.length;
  }

  /** Some of the bytes, the first of all before the others; valid until the queue changes. Undefined when there are none. */
  first(): Uint8Array | undefined {
    const chunk = this.#chunks[0];
    return chunk?.bytes.subarray(chunk.start, chunk.end);
  }

  /** Takes away as many of the bytes that `first` gives. */
  drop(count: number): void {
    const chunk = this.#chunks[0];
    if (chunk === undefined) return;
    chunk.start += count;
    this.#length -= count;
    if (chunk.start === chunk.end) this.#chunks.shift();
  }

  clear(): void {
    this.#chunks.length = 0;
    this.#length = 0;
  }

  #room(wanted: number): Chunk {
    const last = this.#chunks.at(-1);
    if (last !== undefined && last.end < last.bytes.length) return last;
    const chunk = { bytes: new Uint8Array(Math.max(CHUNK_BYTES, wanted)), start: 0, end: 0 };
    this.#chunks.push(chunk);
    return chunk;
  }
}
