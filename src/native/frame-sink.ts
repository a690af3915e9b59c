import { ByteQueue } from './byte-queue.ts';
import { setPipeSize } from './descriptors.ts';
import { SystemError, unless } from './errors.ts';
import { close, writeNow } from './files.ts';
import type { Loop } from './loop.ts';
import { sendNow } from './messages.ts';
import { openPipe, type Pipe, spliceNow } from './pipes.ts';
import { Readiness } from './readiness.ts';
import { fstat } from './stat.ts';

/** The peer broke the rules of the protocol, or is gone. */
export class FrameError extends Error {
  override readonly name = 'FrameError';

  constructor(
    readonly code: 'bad-frame' | 'closed',
    message: string,
  ) {
    super(message);
  }
}

export interface SinkEvents {
  /** So many bytes have arrived where they were meant to go. */
  delivered(bytes: number): void;
  /** Its fd takes no more, for good. */
  refused(): void;
  ended(): void;
}

/** Pages are what is counted, and spliced ones are seldom full. */
const PIPE_BYTES = 1 << 20;
/**
 * Credit is granted in portions of this part of the window: few messages, each of which costs the sender as much as a frame, and it goes on
 * with one portion while the other is on its way.
 */
const GRANT_PART = 2;

/**
 * Where the bytes of one stream go. It takes whatever fits in the stream's window at once and passes it on as fast as
 * its fd takes it: to a pipe by way of a pipe of our own, to anything else from memory.
 */
export class FrameSink {
  /** Undefined until `connect`: what comes is kept, which is a window at most. Null: it goes nowhere. */
  #fd: number | null | undefined;
  #writable: Readiness | undefined;
  /** Between the channel and a sink that is a pipe; made with the first byte. */
  #pipe: Pipe | undefined;
  #isPipe = false;
  #writeNow: (fd: number, bytes: Uint8Array) => number | undefined = writeNow;
  #inPipe = 0;
  /** What follows the bytes in the pipe. */
  readonly #inMemory = new ByteQueue();
  #window: number;
  readonly #portion: number;
  #ungranted = 0;
  #ended = false;

  constructor(
    private readonly loop: Loop,
    windowBytes: number,
    private readonly guard: (step: () => void) => () => void,
    private readonly events: SinkEvents,
  ) {
    this.#window = windowBytes;
    this.#portion = windowBytes / GRANT_PART;
  }

  /** Takes `fd` over; null: what has come and what will goes nowhere. */
  connect(fd: number | null): void {
    if (fd === null) {
      this.discard();
      return;
    }
    const { kind } = fstat(fd);
    this.#fd = fd;
    this.#isPipe = kind === 'fifo';
    this.#writeNow = kind === 'socket' ? sendNow : writeNow;
    const flush = this.guard(() => this.#flush());
    this.#writable = new Readiness(this.loop, fd, 'writable', flush);
    this.#flush();
  }

  /** @throws FrameError when the peer sends more than it was granted */
  reserve(bytes: number): void {
    this.#window -= bytes;
    if (this.#window < 0) throw new FrameError('bad-frame', 'more bytes of a stream than were granted');
  }

  /** Bytes moved, 0 at the channel's end; undefined where they must be read, or there are none yet. */
  spliceFrom(channel: number, max: number): number | undefined {
    if (!this.#isPipe || typeof this.#fd !== 'number' || this.#inMemory.length > 0) return undefined;
    const moved = spliceNow(channel, this.#ownPipe().write, max);
    if (moved === undefined) return undefined;
    this.#inPipe += moved;
    this.#flush();
    return moved;
  }

  /** The bytes are copied where they cannot be passed on at once. */
  take(bytes: Uint8Array): void {
    if (this.#fd === null) {
      this.#grant(bytes.length);
      return;
    }
    const stored = this.#isPipe && this.#inMemory.length === 0 ? this.#intoPipe(bytes) : 0;
    if (stored < bytes.length) this.#inMemory.add(bytes.subarray(stored));
    this.#flush();
  }

  /** No more will come; when all has been passed on, the fd is closed. */
  end(): void {
    this.#ended = true;
    this.#flush();
  }

  /** What is here and what still comes goes nowhere; the peer goes on undisturbed. */
  discard(): void {
    const dropped = this.#inPipe + this.#inMemory.length;
    this.close();
    this.#grant(dropped);
    this.#flush();
  }

  close(): void {
    this.#writable?.close();
    if (typeof this.#fd === 'number') close(this.#fd);
    if (this.#pipe !== undefined) {
      close(this.#pipe.read);
      close(this.#pipe.write);
    }
    this.#fd = null;
    this.#pipe = undefined;
    this.#inPipe = 0;
    this.#inMemory.clear();
  }

  #ownPipe(): Pipe {
    if (this.#pipe === undefined) {
      const pipe = openPipe({ nonBlocking: true });
      unless(['EPERM'], () => setPipeSize(pipe.write, PIPE_BYTES));
      this.#pipe = pipe;
    }
    return this.#pipe;
  }

  #intoPipe(bytes: Uint8Array): number {
    const stored = writeNow(this.#ownPipe().write, bytes) ?? 0;
    this.#inPipe += stored;
    return stored;
  }

  #flush(): void {
    if (this.#fd === undefined) return;
    while (this.#fd !== null && (this.#inPipe > 0 || this.#inMemory.length > 0)) {
      const moved = this.#passOn(this.#fd);
      if (moved === undefined) {
        this.#writable?.arm();
        return;
      }
      this.#grant(moved);
    }
    if (!this.#ended) return;
    this.close();
    this.events.ended();
  }

  /** A sink that takes no more is no fault of the peer: its bytes are discarded. Undefined: not now. */
  #passOn(fd: number): number | undefined {
    try {
      return this.#inPipe > 0 ? this.#passFromPipe(fd) : this.#passFromMemory(fd);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.discard();
      this.events.refused();
      return 0;
    }
  }

  #passFromPipe(fd: number): number | undefined {
    const moved = spliceNow(this.#ownPipe().read, fd, this.#inPipe);
    if (moved !== undefined) this.#inPipe -= moved;
    return moved;
  }

  #passFromMemory(fd: number): number | undefined {
    const first = this.#inMemory.first();
    if (first === undefined) return 0;
    const moved = this.#writeNow(fd, first);
    if (moved === undefined) return undefined;
    this.#inMemory.drop(moved);
    return moved;
  }

  #grant(bytes: number): void {
    this.#ungranted += bytes;
    if (this.#ungranted < this.#portion || this.#ended) return;
    this.#window += this.#ungranted;
    this.events.delivered(this.#ungranted);
    this.#ungranted = 0;
  }
}
