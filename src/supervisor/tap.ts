import { setPipeSize } from '../native/descriptors.ts';
import { SystemError, unless } from '../native/errors.ts';
import { close, readNow, writeNow } from '../native/files.ts';
import type { Loop, Timer } from '../native/loop.ts';
import { sendNow } from '../native/messages.ts';
import { openPipe, type Pipe, spliceNow, teeNow } from '../native/pipes.ts';
import { Readiness } from '../native/readiness.ts';
import { fstat } from '../native/stat.ts';

/** Why nothing more goes there: its fd takes no more, or not for too long, or all has been passed on. */
export type TapEnd = 'refused' | 'stalled' | 'ended';

export interface TapEvents {
  /** All it was given has been passed on; it may be given more. */
  idle(): void;
  /** Once. Not after `close`. */
  closed(end: TapEnd): void;
}

/** Of its pipe, and of the source's. Where the host allows no such pipes, both stay as they are. */
export const TAP_PIPE_BYTES = 524288;
const READ_BYTES = 65536;

export function sizeTapPipe({ write }: Pipe): void {
  unless(['EPERM'], () => setPipeSize(write, TAP_PIPE_BYTES));
}

/** Who gets a copy of an app's output: the bytes are duplicated into a pipe of its own, and leave it as the fd takes them. */
export class Tap {
  readonly #loop: Loop;
  readonly #fd: number;
  readonly #events: TapEvents;
  readonly #patienceMs: number | undefined;
  readonly #pipe: Pipe = openPipe({ nonBlocking: true });
  readonly #writable: Readiness;
  readonly #move: (max: number) => number | undefined;
  /** Bytes on their way that are still here, in the pipe or in memory. */
  #waiting = 0;
  #stall: Timer | undefined;
  #ending = false;
  #open = true;

  /** Takes the fd over. */
  constructor(loop: Loop, fd: number, events: TapEvents, patienceMs?: number) {
    this.#loop = loop;
    this.#fd = fd;
    this.#events = events;
    this.#patienceMs = patienceMs;
    sizeTapPipe(this.#pipe);
    const { kind } = fstat(fd);
    this.#move =
      kind === 'fifo'
        ? (max) => spliceNow(this.#pipe.read, fd, max)
        : byMemory(this.#pipe.read, fd, kind === 'socket' ? sendNow : writeNow);
    this.#writable = new Readiness(loop, fd, 'writable', () => this.pass());
  }

  get isIdle(): boolean {
    return this.#waiting === 0;
  }

  /** Copies so many bytes of the source, a pipe of the same size as ours. To be called when idle; `pass` sends them on. */
  copy(source: number, length: number): void {
    this.#waiting = teeNow(source, this.#pipe.write, length) ?? 0;
  }

  pass(): void {
    while (this.#open && this.#waiting > 0) {
      const moved = this.#tryMove();
      if (moved === undefined) {
        this.#wait();
        return;
      }
      this.#waiting -= moved;
      this.#stall?.cancel();
      this.#stall = undefined;
    }
    if (!this.#open) return;
    if (this.#ending) this.#finish('ended');
    else this.#events.idle();
  }

  /** No more will come; what is here is still passed on. */
  end(): void {
    this.#ending = true;
    this.pass();
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#waiting = 0;
    this.#stall?.cancel();
    this.#writable.close();
    for (const fd of [this.#pipe.read, this.#pipe.write, this.#fd]) close(fd);
  }

  #tryMove(): number | undefined {
    try {
      return this.#move(this.#waiting);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.#finish('refused');
      return 0;
    }
  }

  #wait(): void {
    this.#writable.arm();
    if (this.#patienceMs !== undefined)
      this.#stall ??= this.#loop.after(this.#patienceMs, () => this.#finish('stalled'));
  }

  #finish(end: TapEnd): void {
    if (!this.#open) return;
    this.close();
    this.#events.closed(end);
  }
}

/** For what cannot be spliced to. What was read and not taken yet is kept for the next call. */
function byMemory(
  from: number,
  to: number,
  write: (fd: number, bytes: Uint8Array) => number | undefined,
): () => number | undefined {
  const buffer = new Uint8Array(READ_BYTES);
  let rest = buffer.subarray(0, 0);
  return () => {
    if (rest.length === 0) rest = buffer.subarray(0, readNow(from, buffer) ?? 0);
    const written = write(to, rest);
    if (written !== undefined) rest = rest.subarray(written);
    return written;
  };
}
