/** The two channels as bytes: packets of the control channel, frames of the data channel. */
import type { Duplex } from 'node:stream';
import {
  decodeFrameHeader,
  encodeFrameHeader,
  FRAME_HEADER_BYTES,
  STREAM_WINDOW,
} from '../../src/abi/frames.ts';

const LENGTH_BYTES = 4;

export class PacketWire {
  readonly #socket: Duplex;
  #rest: Buffer = Buffer.alloc(0);

  constructor(socket: Duplex, onText: (text: string) => void) {
    this.#socket = socket;
    // A guest that has ended is seen by its exit.
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      this.#rest = Buffer.concat([this.#rest, chunk]);
      for (let text = this.#take(); text !== undefined; text = this.#take()) onText(text);
    });
  }

  send(text: string): void {
    const body = Buffer.from(text);
    const header = Buffer.alloc(LENGTH_BYTES);
    header.writeUInt32LE(body.length);
    this.write(Buffer.concat([header, body]));
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #take(): string | undefined {
    if (this.#rest.length < LENGTH_BYTES) return undefined;
    const end = LENGTH_BYTES + this.#rest.readUInt32LE();
    if (this.#rest.length < end) return undefined;
    const text = this.#rest.subarray(LENGTH_BYTES, end).toString();
    this.#rest = this.#rest.subarray(end);
    return text;
  }
}

interface Incoming {
  chunks: Buffer[];
  bytes: number;
  ended: boolean;
  /** A stalled stream's bytes are taken and not granted again. */
  stalled: boolean;
  owed: number;
}

export class FrameWire {
  readonly #socket: Duplex;
  readonly #incoming = new Map<number, Incoming>();
  readonly #window = new Map<number, number>();
  readonly #outgoing = new Map<number, Buffer>();
  readonly #ending = new Set<number>();
  readonly #credit: (stream: number, bytes: number) => void;
  #rest: Buffer = Buffer.alloc(0);
  #waiting: (() => void)[] = [];

  constructor(socket: Duplex, credit: (stream: number, bytes: number) => void) {
    this.#socket = socket;
    this.#credit = credit;
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
  }

  /** Everything a stream has carried so far. */
  received(stream: number): Buffer {
    return Buffer.concat(this.#of(stream).chunks);
  }

  bytesOf(stream: number): number {
    return this.#of(stream).bytes;
  }

  /** From now on nothing of this stream is granted again, until `resume`. */
  stall(stream: number): void {
    this.#of(stream).stalled = true;
  }

  resume(stream: number): void {
    const incoming = this.#of(stream);
    incoming.stalled = false;
    if (incoming.owed > 0) this.#credit(stream, incoming.owed);
    incoming.owed = 0;
  }

  /** All of a stream, when it has ended. */
  async whole(stream: number): Promise<Buffer> {
    await this.until(() => this.#of(stream).ended);
    return this.received(stream);
  }

  /** Waits until a stream has carried a text; gives all of it so far. */
  async text(stream: number, wanted: string | RegExp): Promise<string> {
    const matches = () => {
      const text = this.received(stream).toString();
      return typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text);
    };
    await this.until(matches);
    return this.received(stream).toString();
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Queues bytes for the guest; they leave as its credit allows. */
  write(stream: number, bytes: string | Buffer): void {
    const queued = this.#outgoing.get(stream) ?? Buffer.alloc(0);
    this.#outgoing.set(stream, Buffer.concat([queued, Buffer.from(bytes)]));
    this.#flush(stream);
  }

  end(stream: number): void {
    this.#ending.add(stream);
    this.#flush(stream);
  }

  /** Bytes of a stream that the guest has not made room for. */
  unsent(stream: number): number {
    return this.#outgoing.get(stream)?.length ?? 0;
  }

  granted(stream: number, bytes: number): void {
    this.#window.set(stream, (this.#window.get(stream) ?? STREAM_WINDOW) + bytes);
    this.#flush(stream);
    this.#wake();
  }

  raw(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #flush(stream: number): void {
    for (let queued = this.#outgoing.get(stream); queued?.length; queued = this.#outgoing.get(stream)) {
      const window = this.#window.get(stream) ?? STREAM_WINDOW;
      const bytes = queued.subarray(0, Math.min(window, 32768));
      if (bytes.length === 0) return;
      this.#window.set(stream, window - bytes.length);
      this.#outgoing.set(stream, queued.subarray(bytes.length));
      this.#frame(stream, bytes);
    }
    if (this.#ending.delete(stream)) this.#frame(stream, Buffer.alloc(0));
  }

  #frame(stream: number, bytes: Buffer): void {
    const header = Buffer.alloc(FRAME_HEADER_BYTES);
    encodeFrameHeader({ stream, length: bytes.length }, new DataView(header.buffer, header.byteOffset));
    this.#socket.write(Buffer.concat([header, bytes]));
  }

  #receive(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= FRAME_HEADER_BYTES) {
      const header = decodeFrameHeader(new DataView(this.#rest.buffer, this.#rest.byteOffset));
      if (header === undefined) throw new Error('a frame longer than any sender may send');
      const end = FRAME_HEADER_BYTES + header.length;
      if (this.#rest.length < end) break;
      this.#deliver(header.stream, this.#rest.subarray(FRAME_HEADER_BYTES, end));
      this.#rest = this.#rest.subarray(end);
    }
    this.#wake();
  }

  #deliver(stream: number, bytes: Buffer): void {
    const incoming = this.#of(stream);
    if (incoming.ended) throw new Error(`stream ${stream} went on after its end`);
    if (bytes.length === 0) {
      incoming.ended = true;
      return;
    }
    incoming.chunks.push(bytes);
    incoming.bytes += bytes.length;
    if (incoming.stalled) incoming.owed += bytes.length;
    else this.#credit(stream, bytes.length);
  }

  #of(stream: number): Incoming {
    const known = this.#incoming.get(stream);
    if (known !== undefined) return known;
    const incoming = { chunks: [], bytes: 0, ended: false, stalled: false, owed: 0 };
    this.#incoming.set(stream, incoming);
    return incoming;
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}
