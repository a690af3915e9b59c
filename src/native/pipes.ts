import { Packer, Unpacker } from './bytes.ts';
import { open_ } from './files.ts';
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

/** Bytes spliced, 0 at the end, undefined when one of the two would block. One of them must be a pipe. */
export function spliceNow(from: number, to: number, max: number): number | undefined {
  const result = attempt('splice', from, null, to, null, max, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  return result === EAGAIN ? undefined : checked('splice', result);
}

/** Bytes moved from a pipe to a place in a file, which must not be open for appending. Undefined when the pipe is empty, 0 at its end. */
export function spliceAt(from: number, to: number, offset: number, max: number): number | undefined {
  const place = new Packer(8).u64(offset).finish();
  const result = attempt('splice', from, null, to, place, max, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  return result === EAGAIN ? undefined : checked('splice', result);
}

/** Bytes of a pipe that are now in another one as well. They come from the pipe's start, and stay in it. */
export function teeNow(from: number, to: number, max: number): number | undefined {
  const result = attempt('tee', from, to, max, SPLICE_F_NONBLOCK);
  return result === EAGAIN ? undefined : checked('tee', result);
}

const scratch = new Uint8Array(65536);

/** Takes out of a pipe all that is in it. */
export function emptyPipe(read: number): void {
  for (let left = bytesIn(read); left > 0; )
    left -= call('read', read, scratch, Math.min(left, scratch.length));
}

const FIONREAD = 0x541b;

/** Bytes that a pipe holds. */
export function bytesIn(read: number): number {
  const out = new Uint8Array(4);
  call('ioctl', read, FIONREAD, out);
  return new Unpacker(out).u32();
}

const POLLERR = 8;

/** Whether anybody holds the other end of the end that is written to. */
export function hasReader(write: number): boolean {
  const request = new Packer(8).u32(write).u32(0).finish();
  const now = new Packer(16).u64(0).u64(0).finish();
  const ready = call('ppoll', request, 1, now, null, 8);
  return ready === 0 || ((new Unpacker(request, 4).u32() >>> 16) & POLLERR) === 0;
}
