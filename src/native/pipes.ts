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

const POLLERR = 8;

/** Whether anybody holds the other end of the end that is written to. */
export function hasReader(write: number): boolean {
  const request = new Packer(8).u32(write).u32(0).finish();
  const now = new Packer(16).u64(0).u64(0).finish();
  const ready = call('ppoll', request, 1, now, null, 8);
  return ready === 0 || ((new Unpacker(request, 4).u32() >>> 16) & POLLERR) === 0;
}
