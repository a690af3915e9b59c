import { hasCode } from './errors.ts';
import { readNow } from './files.ts';
import type { FrameCodec } from './frame-codec.ts';
import { FrameError, FrameSink } from './frame-sink.ts';
import type { Loop } from './loop.ts';
import { Readiness } from './readiness.ts';

export interface ReceiverEvents {
  credit(stream: number, bytes: number): void;
  sinkRefused?(stream: number): void;
  sinkEnded?(stream: number): void;
}

/**
 * A frame of a stream that has no sink yet: `refuse` it as a hostile peer's, or `keep` its bytes, where the peer is trusted
 * and may learn of a stream sooner than this side does.
 */
export type EarlyFrames = 'refuse' | 'keep';

/** Smaller payloads are read and written, so that they share pages in their sink's pipe, whose pages are counted. */
const SPLICE_FROM = 8192;
const READ_BYTES = 65536;
/** Frames taken before the loop serves others again. */
const FRAMES_IN_A_ROW = 32;

/** The receiving half of a `Mux`: each frame's payload goes into its stream's `FrameSink`, which never refuses it. */
export class FrameReceiver {
  readonly #sinks = new Map<number, FrameSink>();
  readonly #channel: Readiness;
  readonly #header: Uint8Array;
  readonly #buffer = new Uint8Array(READ_BYTES);
  /** Bytes of the current header that have come. */
  #got = 0;
  /** The rest of the current frame's payload. */
  #sink: FrameSink | undefined;
  #remaining = 0;
  /** Virtio ports cannot be spliced from. */
  #splices = true;

  constructor(
    private readonly loop: Loop,
    private readonly fd: number,
    private readonly codec: FrameCodec,
    private readonly events: ReceiverEvents,
    private readonly guard: (step: () => void) => () => void,
    private readonly early: EarlyFrames,
  ) {
    this.#header = new Uint8Array(codec.headerBytes);
    this.#channel = new Readiness(
      loop,
      fd,
      'readable',
      guard(() => this.#receive()),
    );
    this.#channel.arm();
  }

  add(stream: number, fd: number | null): void {
    const sink = this.#sinks.get(stream) ?? this.#make(stream);
    sink.connect(fd);
  }

  #make(stream: number): FrameSink {
    const sink = new FrameSink(this.loop, this.codec.windowBytes, this.guard, {
      delivered: (bytes) => this.events.credit(stream, bytes),
      refused: () => this.events.sinkRefused?.(stream),
      ended: () => {
        this.#sinks.delete(stream);
        this.events.sinkEnded?.(stream);
      },
    });
    this.#sinks.set(stream, sink);
    return sink;
  }

  discard(stream: number): void {
    this.#sinks.get(stream)?.discard();
  }

  close(): void {
    this.#channel.close();
    for (const sink of this.#sinks.values()) sink.close();
    this.#sinks.clear();
  }

  #receive(): void {
    for (let frames = 0; frames < FRAMES_IN_A_ROW; frames++) {
      if (this.#sink === undefined && !this.#readHeader()) break;
      if (this.#sink !== undefined && !this.#readPayload(this.#sink)) break;
    }
    this.#channel.arm();
  }

  /** False until the whole header is there. */
  #readHeader(): boolean {
    const read = this.#read(this.#header.subarray(this.#got));
    if (read === undefined) return false;
    this.#got += read;
    if (this.#got < this.#header.length) return false;
    this.#got = 0;
    const header = this.codec.decode(new DataView(this.#header.buffer));
    if (header === undefined)
      throw new FrameError('bad-frame', 'a frame with a header that no sender may send');
    const sink =
      this.#sinks.get(header.stream) ?? (this.early === 'keep' ? this.#make(header.stream) : undefined);
    if (sink === undefined)
      throw new FrameError('bad-frame', `a frame of stream ${header.stream}, which is not open`);
    if (header.length === 0) {
      sink.end();
      return true;
    }
    sink.reserve(header.length);
    this.#sink = sink;
    this.#remaining = header.length;
    return true;
  }

  /** False until the whole payload is there. */
  #readPayload(sink: FrameSink): boolean {
    while (this.#remaining > 0) {
      const moved = this.#splice(sink) ?? this.#copy(sink);
      if (moved === undefined) return false;
      this.#remaining -= moved;
    }
    this.#sink = undefined;
    return true;
  }

  /** Undefined where splicing is of no use here, or has moved nothing. */
  #splice(sink: FrameSink): number | undefined {
    if (!this.#splices || this.#remaining < SPLICE_FROM) return undefined;
    try {
      const moved = sink.spliceFrom(this.fd, this.#remaining);
      if (moved === 0) throw new FrameError('closed', 'the channel was closed');
      return moved;
    } catch (error) {
      if (!hasCode(error, 'EINVAL')) throw error;
      this.#splices = false;
      return undefined;
    }
  }

  #copy(sink: FrameSink): number | undefined {
    const read = this.#read(this.#buffer.subarray(0, Math.min(this.#remaining, READ_BYTES)));
    if (read !== undefined) sink.take(this.#buffer.subarray(0, read));
    return read;
  }

  #read(into: Uint8Array): number | undefined {
    const read = readNow(this.fd, into);
    if (read === 0) throw new FrameError('closed', 'the channel was closed');
    return read;
  }
}
