import { Unpacker } from './bytes.ts';
import { SystemError } from './errors.ts';
import { open_, readNow, writeNow } from './files.ts';
import { attempt, call, checked } from './syscall.ts';

export interface Pipe {
  readonly read: number;
  readonly write: number;
}

/** Both ends close on exec. */
export function openPipe({ nonBlocking = false } = {}): Pipe {
  const out = new Uint8Array(8);
  call('pipe2', out, open_.closeOnExec | (nonBlocking ? open_.nonBlocking : 0));
  const fds = new Unpacker(out);
  return { read: fds.i32(), write: fds.i32() };
}

const SPLICE_F_MOVE = 1;
const SPLICE_F_NONBLOCK = 2;
const EAGAIN = -11;
const EINVAL = -22;
const BUFFER = 65536;

/** Bytes spliced, 0 at the end, undefined when one of the two would block. One of them must be a pipe. */
export function spliceNow(from: number, to: number, max: number): number | undefined {
  const result = attempt('splice', from, null, to, null, max, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  return result === EAGAIN ? undefined : checked('splice', result);
}

/** What one step of moving bytes came to. A blocked step may have found the source empty or the sink full. */
export type Moved =
  | { readonly kind: 'moved'; readonly bytes: number }
  | { readonly kind: 'blocked' }
  | { readonly kind: 'end' };

/**
 * Moves bytes from one fd to another without bringing them into JavaScript where the kernel can (one of the two
 * must be a pipe, and neither opened for appending), and through one buffer where it cannot. Bytes that were
 * read and not yet taken by the sink are kept for the next step; `pending` counts them.
 */
export class ByteMover {
  readonly from: number;
  readonly to: number;
  #spliceable = true;
  #pending: Uint8Array = new Uint8Array(0);

  constructor(from: number, to: number) {
    this.from = from;
    this.to = to;
  }

  get pending(): number {
    return this.#pending.length;
  }

  /** Moves at most `max` bytes, all in one call of the kernel. Errors of either side are thrown. */
  move(max: number): Moved {
    if (this.#spliceable) {
      const flags = SPLICE_F_MOVE | SPLICE_F_NONBLOCK;
      const result = attempt('splice', this.from, null, this.to, null, max, flags);
      if (result !== EINVAL) return describe(result);
      this.#spliceable = false;
    }
    return this.#copy(max);
  }

  #copy(max: number): Moved {
    if (this.#pending.length === 0) {
      const buffer = shared();
      const count = readNow(this.from, buffer.subarray(0, Math.min(max, BUFFER)));
      if (count === undefined) return { kind: 'blocked' };
      if (count === 0) return { kind: 'end' };
      const written = writeNow(this.to, buffer.subarray(0, count)) ?? 0;
      this.#pending = buffer.slice(written, count);
      return written === 0 ? { kind: 'blocked' } : { kind: 'moved', bytes: written };
    }
    const written = writeNow(this.to, this.#pending.subarray(0, max));
    if (written === undefined) return { kind: 'blocked' };
    this.#pending = this.#pending.subarray(written);
    return { kind: 'moved', bytes: written };
  }
}

let buffer: Uint8Array | undefined;

/** Nothing keeps a view of it across steps, so all movers use one. */
function shared(): Uint8Array {
  buffer ??= new Uint8Array(BUFFER);
  return buffer;
}

function describe(result: number): Moved {
  if (result === EAGAIN) return { kind: 'blocked' };
  if (result === 0) return { kind: 'end' };
  return { kind: 'moved', bytes: checked('splice', result) };
}

/** Moves exactly `count` bytes between blocking fds; an early end is an EPIPE. */
export function moveExactly(from: number, to: number, count: number): void {
  const EPIPE = 32;
  for (let left = count; left > 0; ) {
    const moved = checked('splice', attempt('splice', from, null, to, null, left, SPLICE_F_MOVE));
    if (moved === 0) throw new SystemError('splice', EPIPE);
    left -= moved;
  }
}
