import { TarError } from './error.ts';

/** Where the bytes come from. One that can seek passes over content without reading it. */
export interface Feed {
  next(): Promise<Uint8Array | undefined>;
  /** Passes over this many bytes that `next` would have given. */
  seek?(bytes: number): void;
}

const EMPTY = Buffer.alloc(0);

export function feedOf(stream: AsyncIterable<Uint8Array>): Feed {
  const iterator = stream[Symbol.asyncIterator]();
  return {
    next: async () => {
      const { value, done } = await iterator.next();
      return done === true ? undefined : value;
    },
  };
}

/** A stream cut into the sizes that a tar is made of. What it returns is a view that holds until the next call. */
export class ByteSource {
  readonly #feed: Feed;
  #buffer: Buffer = EMPTY;
  #ended = false;
  #position = 0;

  constructor(feed: Feed) {
    this.#feed = feed;
  }

  /** Bytes handed out or skipped so far. */
  get position(): number {
    return this.#position;
  }

  /** Exactly `length` bytes, or undefined when the stream ended before the first of them. */
  async read(length: number): Promise<Buffer | undefined> {
    while (this.#buffer.length === 0 && length > 0) {
      if (!(await this.#fill())) return undefined;
    }
    return this.#buffer.length < length ? this.#gather(length) : this.#take(length);
  }

  /** At least one and at most `limit` bytes, whatever is at hand. */
  async some(limit: number): Promise<Buffer> {
    while (this.#buffer.length === 0) {
      if (!(await this.#fill())) throw truncated(this.#position);
    }
    return this.#take(Math.min(limit, this.#buffer.length));
  }

  /** Whatever is at hand, or undefined at the end of the stream. */
  async chunk(): Promise<Buffer | undefined> {
    while (this.#buffer.length === 0) {
      if (!(await this.#fill())) return undefined;
    }
    return this.#take(this.#buffer.length);
  }

  async skip(length: number): Promise<void> {
    let left = length;
    const buffered = Math.min(left, this.#buffer.length);
    if (buffered > 0) left -= this.#take(buffered).length;
    if (this.#feed.seek !== undefined) {
      this.#feed.seek(left);
      this.#position += left;
      return;
    }
    while (left > 0) left -= (await this.some(left)).length;
  }

  /** As `skip`, but the stream may end on the way. */
  async skipIfThere(length: number): Promise<void> {
    for (let left = length; left > 0; ) {
      while (this.#buffer.length === 0) {
        if (!(await this.#fill())) return;
      }
      left -= this.#take(Math.min(left, this.#buffer.length)).length;
    }
  }

  /** Bytes that lie in several chunks: they alone are copied, however large the chunks are. */
  async #gather(length: number): Promise<Buffer> {
    const gathered = Buffer.alloc(length);
    for (let done = 0; done < length; ) {
      done += (await this.some(length - done)).copy(gathered, done);
    }
    return gathered;
  }

  #take(length: number): Buffer {
    const taken = this.#buffer.subarray(0, length);
    this.#buffer = this.#buffer.subarray(length);
    this.#position += length;
    return taken;
  }

  /** To be called when nothing is at hand. */
  async #fill(): Promise<boolean> {
    if (this.#ended) return false;
    const chunk = await this.#feed.next();
    if (chunk === undefined) {
      this.#ended = true;
      return false;
    }
    this.#buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    return true;
  }
}

function truncated(position: number): TarError {
  return new TarError('truncated', `archive ends in the middle of an entry, at byte ${position}`);
}
