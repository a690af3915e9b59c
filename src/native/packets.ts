import { ByteQueue } from './byte-queue.ts';
import { concat } from './bytes.ts';
import { utf8Decode, utf8Encode } from './engine.ts';
import { SystemError } from './errors.ts';
import { close, readNow, writeNow } from './files.ts';
import type { Loop, Watch } from './loop.ts';

export interface PacketEvents {
  /** One text that the peer sent. */
  text(text: string): void;
  /** The channel is closed, or the peer broke the rules. The channel has closed itself. */
  broken(problem: Error): void;
}

export interface PacketLimits {
  /** The largest text that is taken from the peer, in bytes. */
  readonly receiveBytes: number;
  /** What may wait for a peer that does not read. */
  readonly queueBytes: number;
}

class PacketError extends Error {
  override readonly name = 'PacketError';

  constructor(
    readonly code: 'bad-packet' | 'closed',
    message: string,
  ) {
    super(message);
  }
}

const HEADER_BYTES = 4;
const READ_BYTES = 16384;

/** Texts over a non-blocking stream fd, each behind its length in bytes (u32, little-endian). Nothing blocks. */
export class PacketChannel {
  readonly #fd: number;
  readonly #watch: Watch;
  readonly #limits: PacketLimits;
  readonly #events: PacketEvents;
  readonly #chunk = new Uint8Array(READ_BYTES);
  #incoming: Uint8Array = new Uint8Array(0);
  readonly #outgoing = new ByteQueue();
  readonly #texts: string[] = [];
  #closed = false;

  /** Takes the fd over. */
  constructor(loop: Loop, fd: number, limits: PacketLimits, events: PacketEvents) {
    this.#fd = fd;
    this.#limits = limits;
    this.#events = events;
    this.#watch = loop.watch(fd, {});
    this.#listen();
  }

  /** Sends at once what the channel takes, and the rest when it can. */
  send(text: string): void {
    if (this.#closed) return;
    const body = utf8Encode(text);
    const header = new Uint8Array(HEADER_BYTES);
    new DataView(header.buffer).setUint32(0, body.length, true);
    this.#guard(() => this.#pass(concat([header, body])));
  }

  /** Whether everything has been handed to the kernel. */
  get sent(): boolean {
    return this.#outgoing.length === 0;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#watch.close();
    close(this.#fd);
  }

  #listen(): void {
    if (this.#closed) return;
    this.#watch.update({
      readable: () => {
        this.#guard(() => this.#receive());
        this.#deliver();
      },
      writable: this.#outgoing.length > 0 ? () => this.#guard(() => this.#flush()) : undefined,
    });
  }

  /** Mostly the channel takes it all, and nothing is queued. */
  #pass(packet: Uint8Array): void {
    const written = this.sent ? (writeNow(this.#fd, packet) ?? 0) : 0;
    if (written === packet.length) return;
    this.#outgoing.add(packet.subarray(written));
    if (this.#outgoing.length > this.#limits.queueBytes)
      throw new PacketError('bad-packet', `the peer leaves ${this.#outgoing.length} bytes unread`);
    this.#listen();
  }

  #flush(): void {
    for (let first = this.#outgoing.first(); first !== undefined; first = this.#outgoing.first()) {
      const written = writeNow(this.#fd, first);
      if (written === undefined) break;
      this.#outgoing.drop(written);
    }
    this.#listen();
  }

  #receive(): void {
    const read = readNow(this.#fd, this.#chunk);
    if (read === undefined) return;
    if (read === 0) throw new PacketError('closed', 'the channel was closed');
    this.#incoming = concat([this.#incoming, this.#chunk.subarray(0, read)]);
    for (let body = this.#next(); body !== undefined; body = this.#next()) this.#texts.push(utf8Decode(body));
  }

  /** Outside the guard: an error of whoever is told is not the channel's. */
  #deliver(): void {
    while (!this.#closed) {
      const text = this.#texts.shift();
      if (text === undefined) return;
      this.#events.text(text);
    }
  }

  /** Takes the next whole text out of what has come. */
  #next(): Uint8Array | undefined {
    const incoming = this.#incoming;
    if (incoming.length < HEADER_BYTES) return undefined;
    const length = new DataView(incoming.buffer, incoming.byteOffset).getUint32(0, true);
    if (length > this.#limits.receiveBytes)
      throw new PacketError(
        'bad-packet',
        `a text of ${length} bytes, at most ${this.#limits.receiveBytes} are taken`,
      );
    const end = HEADER_BYTES + length;
    if (incoming.length < end) return undefined;
    this.#incoming = incoming.subarray(end);
    return incoming.subarray(HEADER_BYTES, end);
  }

  #guard(step: () => void): void {
    if (this.#closed) return;
    try {
      step();
    } catch (error) {
      if (!(error instanceof PacketError || error instanceof SystemError)) throw error;
      // What came before the end was said in good faith: `exited`, `ended`.
      this.#deliver();
      if (this.#closed) return;
      this.close();
      this.#events.broken(error);
    }
  }
}
