/**
 * Many byte streams over one non-blocking fd: frames out (`FrameSender`), frames in (`FrameReceiver`). What a header
 * looks like is the caller's `FrameCodec`. Bytes of pipes are spliced and never enter JavaScript; nothing blocks.
 *
 * Every stream has a window of its own in each direction: what its peer has not granted yet is not read from its
 * source, so a stalled reader stalls its own stream and memory stays bounded, whoever the peer is.
 */
import { duplicateAbove } from './descriptors.ts';
import { SystemError } from './errors.ts';
import { close } from './files.ts';
import type { FrameCodec } from './frame-codec.ts';
import { type EarlyFrames, FrameReceiver } from './frame-receiver.ts';
import { FrameSender } from './frame-sender.ts';
import { FrameError } from './frame-sink.ts';
import type { Loop } from './loop.ts';

export interface MuxEvents {
  /** So many bytes of a stream have reached their sink: tell the peer, who calls `grant`. */
  credit(stream: number, bytes: number): void;
  /** A source is at its end and closed; the peer will be told behind its last byte. */
  sourceEnded?(stream: number): void;
  /** A sink takes no more, because its reader is gone; what still comes goes nowhere. */
  sinkRefused?(stream: number): void;
  /** The peer ended a stream, all of it has reached the sink, and the sink is closed. */
  sinkEnded?(stream: number): void;
  /** The channel is closed or the peer broke the rules. The mux has closed itself and everything it had taken over. */
  broken(problem: Error): void;
}

export class Mux {
  readonly #fds: readonly [number, number];
  readonly #sender: FrameSender;
  readonly #receiver: FrameReceiver;
  readonly #events: MuxEvents;
  #closed = false;

  /** Takes the channel's fd over. What to do with frames that come before their sink, `early` says. */
  constructor(loop: Loop, fd: number, codec: FrameCodec, events: MuxEvents, early: EarlyFrames = 'refuse') {
    // Two fds, so that each half can wait for the channel on its own.
    this.#fds = [fd, duplicateAbove(fd, 0)];
    this.#events = events;
    const guard = (step: () => void) => () => this.#guard(step);
    this.#sender = new FrameSender(loop, this.#fds[0], codec, events, guard);
    this.#receiver = new FrameReceiver(loop, this.#fds[1], codec, events, guard, early);
  }

  /**
   * Sends what comes from `fd`, which the mux takes over: a pipe, or something that does not block once epoll calls it
   * readable. For a terminal that is a sink, too, give each its own duplicate.
   */
  addSource(stream: number, fd: number): void {
    this.#sender.add(stream, fd);
  }

  /** Ends a stream before its source does; what the source still holds is lost. Does nothing when it has ended. */
  endSource(stream: number): void {
    this.#guard(() => this.#sender.end(stream));
  }

  /** The peer can take so many more bytes of a stream. */
  grant(stream: number, bytes: number): void {
    this.#guard(() => this.#sender.grant(stream, bytes));
  }

  /**
   * Delivers a stream to `fd`, which the mux takes over and closes at the stream's end; null: to nowhere. Pipes and
   * sockets may be in blocking mode; terminals must not.
   */
  addSink(stream: number, fd: number | null): void {
    this.#receiver.add(stream, fd);
  }

  /** From now on a stream's bytes go nowhere, and its sink is closed. The peer still ends the stream. */
  discard(stream: number): void {
    this.#guard(() => this.#receiver.discard(stream));
  }

  /** Whether everything that was read from sources has left for the peer. */
  get sent(): boolean {
    return this.#sender.idle;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#sender.close();
    this.#receiver.close();
    for (const fd of this.#fds) close(fd);
  }

  #guard(step: () => void): void {
    if (this.#closed) return;
    try {
      step();
    } catch (error) {
      if (!(error instanceof FrameError || error instanceof SystemError)) throw error;
      this.close();
      this.#events.broken(error);
    }
  }
}
