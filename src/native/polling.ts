/** Waiting for several fds without a loop: in programs that do one thing after the other. */
import { Packer, Unpacker } from './bytes.ts';
import { checked, once } from './syscall.ts';

const POLLIN = 1;
const POLLFD_BYTES = 8;
const EINTR = -4;

/** Which of the fds can be read, or have come to their end. None when the time is over, or a signal came. */
export function pollReadable(fds: readonly number[], milliseconds: number): boolean[] {
  const request = new Packer(POLLFD_BYTES * fds.length);
  for (const fd of fds) request.u32(fd).u16(POLLIN).u16(0);
  const list = request.finish();
  const whole = Math.max(0, Math.ceil(milliseconds));
  const limit = new Packer(16)
    .u64(Math.floor(whole / 1000))
    .u64((whole % 1000) * 1_000_000)
    .finish();
  const result = once('ppoll', list, fds.length, limit, null, 8);
  if (result !== EINTR) checked('ppoll', result);
  return fds.map((_, index) => result > 0 && new Unpacker(list, index * POLLFD_BYTES + 6).u16() !== 0);
}
