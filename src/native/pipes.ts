import { Unpacker } from './bytes.ts';
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
