import { setPipeSize } from './descriptors.ts';
import { SystemError, unless } from './errors.ts';
import { close, readNow, write } from './files.ts';
import type { FrameCodec } from './frame-codec.ts';
import { FrameError } from './frame-sink.ts';
import type { Loop } from './loop.ts';
import { openPipe, type Pipe, spliceNow } from './pipes.ts';
import { yieldProcessor } from './processes.ts';
import { Readiness } from './readiness.ts';
import { fstat } from './stat.ts';

interface Source {
  readonly stream: number;
  readonly fd: number;
  /** Only pipes can be spliced from. */
  readonly isPipe: boolean;
  readonly readable: Readiness;
  credit: number;
  /** `waiting` for its fd, `starved` of credit, or `queued` for the channel. */
  state: 'waiting' | 'starved' | 'queued';
  ending: boolean;
}

export interface SenderEvents {
  sourceEnded?(stream: number): void;
}

/** What is read into memory at a time: with its header it fits into an empty pipe of the default size. */
const READ_BYTES = 32768;
/**
 * Who sends so much at a time has more to say. On a machine of one processor it fills its pipe while we stand back, and the next frame
 * is a large one; else it would be interrupted after each of its writes, and each cost a frame.
 */
const LARGE_BYTES = 65536;
/**
 * The sending half of a `Mux`. The payload of a frame first goes into a pipe of our own (`intake`), because only then
 * its length is known for sure: whoever else has the source's pipe could read from it, too. Header and payload are
 * joined in a second one (`staging`) and leave together, since a virtio port takes one write per round trip.
 */
export class FrameSender {
  readonly #sources = new Map<number, Source>();
  /** Sources with something to send, in turn. */
  readonly #queue: Source[] = [];
  readonly #intake: Pipe = openPipe({ nonBlocking: true });
  readonly #staging: Pipe = openPipe({ nonBlocking: true });
  readonly #channel: Readiness;
  readonly #buffer: Uint8Array;
  readonly #header: DataView;
  /** Bytes of the current frame that are in intake and in staging. */
  #taken = 0;
  #staged = 0;
  /** The current frame. */
  #isLarge = false;

  constructor(
    private readonly loop: Loop,
    private readonly fd: number,
    private readonly codec: FrameCodec,
    private readonly events: SenderEvents,
    private readonly guard: (step: () => void) => () => void,
  ) {
    this.#channel = new Readiness(
      loop,
      fd,
      'writable',
      guard(() => this.#send()),
    );
    this.#buffer = new Uint8Array(codec.headerBytes + READ_BYTES);
    this.#header = new DataView(this.#buffer.buffer, 0, codec.headerBytes);
    // Pipes are sized in powers of two: the one above what the largest frame needs has room for its header, too.
    unless(['EPERM'], () => {
      setPipeSize(this.#intake.write, codec.maxFrameBytes);
      setPipeSize(this.#staging.write, codec.maxFrameBytes);
      // More than the kernel's default lets everybody have.
      setPipeSize(this.#staging.write, 2 * codec.maxFrameBytes);
    });
  }

  add(stream: number, fd: number): void {
    const source: Source = {
      stream,
      fd,
      isPipe: fstat(fd).kind === 'fifo',
      readable: new Readiness(
        this.loop,
        fd,
        'readable',
        this.guard(() => this.#enqueue(source)),
      ),
      credit: this.codec.windowBytes,
      state: 'waiting',
      ending: false,
    };
    this.#sources.set(stream, source);
    this.#await(source);
  }

  end(stream: number): void {
    const source = this.#sources.get(stream);
    if (source === undefined) return;
    source.ending = true;
    if (source.state !== 'queued') this.#enqueue(source);
  }

  /** @throws FrameError when the peer grants more than was sent */
  grant(stream: number, bytes: number): void {
    const source = this.#sources.get(stream);
    if (source === undefined) return;
    source.credit += bytes;
    if (source.credit > this.codec.windowBytes)
      throw new FrameError('bad-frame', `stream ${stream} was granted more than it had sent`);
    if (source.state === 'starved') this.#await(source);
  }

  get idle(): boolean {
    return this.#taken + this.#staged === 0 && this.#queue.length === 0;
  }

  close(): void {
    this.#channel.close();
    for (const source of [...this.#sources.values()]) this.#remove(source);
    for (const pipe of [this.#intake, this.#staging]) {
      close(pipe.read);
      close(pipe.write);
    }
  }

  #await(source: Source): void {
    source.state = 'waiting';
    source.readable.arm();
  }

  #enqueue(source: Source): void {
    source.readable.disarm();
    source.state = 'queued';
    this.#queue.push(source);
    this.#send();
  }

  /** Moves frames until the channel is full or no source has anything to say. */
  #send(): void {
    for (;;) {
      if (this.#taken > 0) this.#join();
      if (this.#staged > 0) {
        const sent = spliceNow(this.#staging.read, this.fd, this.#staged);
        if (sent === undefined) {
          this.#channel.arm();
          return;
        }
        this.#staged -= sent;
        if (this.#isLarge && this.#taken + this.#staged === 0) yieldProcessor();
        continue;
      }
      const source = this.#queue.shift();
      if (source === undefined) return;
      this.#frame(source);
    }
  }

  /** What does not fit into staging at once follows when that has been sent. */
  #join(): void {
    const moved = spliceNow(this.#intake.read, this.#staging.write, this.#taken) ?? 0;
    this.#taken -= moved;
    this.#staged += moved;
  }

  /** Makes the next frame of a source, whose turn it is; staging is empty. */
  #frame(source: Source): void {
    const length = source.ending ? 0 : this.#fetch(source);
    if (length === 0) this.#finish(source);
    else if (length === undefined) this.#await(source);
    else this.#charge(source, length);
  }

  #charge(source: Source, length: number): void {
    source.credit -= length;
    if (source.credit > 0) this.#await(source);
    else source.state = 'starved';
  }

  /** Undefined: nothing there yet; 0: the end. A source that cannot be read has ended, whatever the reason. */
  #fetch(source: Source): number | undefined {
    const allowed = Math.min(source.credit, this.codec.maxFrameBytes);
    try {
      return source.isPipe ? this.#take(source, allowed) : this.#read(source, allowed);
    } catch (error) {
      if (error instanceof SystemError) return 0;
      throw error;
    }
  }

  #take(source: Source, allowed: number): number | undefined {
    const length = spliceNow(source.fd, this.#intake.write, allowed);
    if (length === undefined || length === 0) return length;
    this.#stage(source.stream, length, 0);
    this.#taken = length;
    return length;
  }

  #read(source: Source, allowed: number): number | undefined {
    const start = this.codec.headerBytes;
    const length = readNow(source.fd, this.#buffer.subarray(start, start + Math.min(allowed, READ_BYTES)));
    if (length === undefined || length === 0) return length;
    this.#stage(source.stream, length, length);
    return length;
  }

  /** Puts a header, and so many bytes of the buffer behind it, into staging, which is empty and holds that much. */
  #stage(stream: number, length: number, inBuffer: number): void {
    this.#isLarge = length >= LARGE_BYTES;
    this.codec.encode({ stream, length }, this.#header);
    const bytes = this.#buffer.subarray(0, this.codec.headerBytes + inBuffer);
    this.#staged = write(this.#staging.write, bytes);
  }

  #finish(source: Source): void {
    this.#remove(source);
    this.#stage(source.stream, 0, 0);
    this.events.sourceEnded?.(source.stream);
  }

  #remove(source: Source): void {
    source.readable.close();
    this.#sources.delete(source.stream);
    close(source.fd);
  }
}
