import { describe, expect, it } from 'vitest';
import { socketFilter } from '../../../stage1-kvm/socket-filter.ts';

interface Call {
  readonly number: number;
  readonly first?: number;
  readonly second?: number;
  readonly architecture?: number;
}

const X86_64 = 0xc000003e;
const I386 = 0x40000003;
const ALLOWED = 'allowed';
const ERRNO = { EPERM: 1, ENOSYS: 38, EAFNOSUPPORT: 97 };

/** The kernel's interpreter, as far as it is needed. */
function judge({ number, first = 0, second = 0, architecture = X86_64 }: Call): string | number {
  const data = new DataView(new ArrayBuffer(64));
  for (const [offset, value] of [
    [0, number],
    [4, architecture],
    [16, first],
    [24, second],
  ] as const)
    data.setUint32(offset, value, true);
  const bytes = socketFilter();
  const program = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let accumulator = 0;
  for (let line = 0; line < bytes.length / 8; line++) {
    const code = program.getUint16(line * 8, true);
    const [yes, no] = [program.getUint8(line * 8 + 2), program.getUint8(line * 8 + 3)];
    const value = program.getUint32(line * 8 + 4, true);
    if (code === 0x20) accumulator = data.getUint32(value, true);
    else if (code === 0x54) accumulator &= value;
    else if (code === 0x15) line += accumulator === value ? yes : no;
    else if (code === 0x35) line += accumulator >= value ? yes : no;
    else if (code === 0x06) return value === 0x7fff0000 ? ALLOWED : value - 0x50000;
    else throw new Error(`unknown instruction ${code}`);
  }
  throw new Error('the program has no end');
}

const socket = 41;
const socketpair = 53;
const SOCK_CLOEXEC = 0o2000000;

describe('socketFilter', () => {
  it.each([
    ['a socket of IPv4', { number: socket, first: 2 }],
    ['a socket of IPv6', { number: socket, first: 10 }],
    ['a pair of streams', { number: socketpair, first: 1, second: 1 | SOCK_CLOEXEC }],
    ['anything else, as read', { number: 0, first: 1 }],
  ])('allows %s', (_, call) => {
    expect(judge(call)).toBe(ALLOWED);
  });

  it.each([
    ['a Unix socket', { number: socket, first: 1 }, ERRNO.EAFNOSUPPORT],
    ['netlink', { number: socket, first: 16 }, ERRNO.EAFNOSUPPORT],
    ['packets', { number: socket, first: 17 }, ERRNO.EAFNOSUPPORT],
    ['vsock', { number: socket, first: 40 }, ERRNO.EAFNOSUPPORT],
    ['a pair of datagrams', { number: socketpair, first: 1, second: 2 | SOCK_CLOEXEC }, ERRNO.EAFNOSUPPORT],
    ['io_uring', { number: 425 }, ERRNO.ENOSYS],
    ['calls by their numbers of x32', { number: 0x40000000 + socket, first: 2 }, ERRNO.EPERM],
    ['calls of another architecture', { number: 359, first: 1, architecture: I386 }, ERRNO.EPERM],
  ])('refuses %s', (_, call, errno) => {
    expect(judge(call)).toBe(errno);
  });
});
