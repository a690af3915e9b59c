/** sendmsg and recvmsg on unix sockets: bytes together with open files. */
import { Packer, Unpacker } from './bytes.ts';
import { addressOf } from './engine.ts';
import { attempt, checked } from './syscall.ts';

const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_CTRUNC = 0x8;
const MSG_TRUNC = 0x20;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x40000000;
const EAGAIN = -11;
const HEADER = 56;
const FLAGS_AT = 48;
const CONTROL_LENGTH_AT = 40;
const CMSG_HEADER = 16;

/** Sends bytes, and duplicates of open files; what was taken, or undefined when it would block. */
export function send(fd: number, bytes: Uint8Array, fds: readonly number[] = []): number | undefined {
  const control = packRights(fds);
  const result = attempt('sendmsg', fd, packHeader(bytes, control), MSG_NOSIGNAL);
  return result === EAGAIN ? undefined : checked('sendmsg', result);
}

/** As `send`, and never waits, even on a socket in blocking mode that was inherited. */
export function sendNow(fd: number, bytes: Uint8Array): number | undefined {
  const header = packHeader(bytes, new Uint8Array(0));
  const result = attempt('sendmsg', fd, header, MSG_NOSIGNAL | MSG_DONTWAIT);
  return result === EAGAIN ? undefined : checked('sendmsg', result);
}

export interface Received {
  /** Empty at the end of the stream. */
  readonly bytes: Uint8Array;
  /** Now open here, close-on-exec; whoever receives must close them. */
  readonly fds: readonly number[];
  /** The message, or its list of files, was larger than the room for it. */
  readonly truncated: boolean;
}

/** The next bytes or message; undefined when it would block. */
export function receive(fd: number, maxBytes: number, maxFiles = 0): Received | undefined {
  const bytes = new Uint8Array(maxBytes);
  const control = new Uint8Array(maxFiles === 0 ? 0 : CMSG_HEADER + align(4 * maxFiles));
  const header = packHeader(bytes, control);
  const result = attempt('recvmsg', fd, header, MSG_CMSG_CLOEXEC);
  if (result === EAGAIN) return undefined;
  const length = checked('recvmsg', result);
  const used = new Unpacker(header, CONTROL_LENGTH_AT).u64();
  const flags = new Unpacker(header, FLAGS_AT).u32();
  return {
    bytes: bytes.subarray(0, length),
    fds: parseRights(control.subarray(0, used)),
    truncated: (flags & (MSG_TRUNC | MSG_CTRUNC)) !== 0,
  };
}

const align = (length: number) => (length + 7) & ~7;

/** struct msghdr with one struct iovec behind it; both refer to memory that the caller keeps. */
function packHeader(bytes: Uint8Array, control: Uint8Array): Uint8Array {
  const header = new Packer(HEADER + 16)
    .u64(0)
    .u64(0)
    .u64(0) // the iovec's address, set below
    .u64(1)
    .u64(control.length === 0 ? 0 : addressOf(control))
    .u64(control.length)
    .u64(0)
    .u64(addressOf(bytes))
    .u64(bytes.length)
    .finish();
  const vector = new Packer(8).u64(addressOf(header) + HEADER).finish();
  header.set(vector, 16);
  return header;
}

export function packRights(fds: readonly number[]): Uint8Array {
  if (fds.length === 0) return new Uint8Array(0);
  const control = new Packer(CMSG_HEADER + align(4 * fds.length))
    .u64(CMSG_HEADER + 4 * fds.length)
    .u32(SOL_SOCKET)
    .u32(SCM_RIGHTS);
  for (const fd of fds) control.u32(fd);
  return control.align(8).finish();
}

export function parseRights(control: Uint8Array): number[] {
  const fds: number[] = [];
  for (let at = 0; at + CMSG_HEADER <= control.length; ) {
    const message = new Unpacker(control, at);
    const length = message.u64();
    const level = message.u32();
    const type = message.u32();
    if (length < CMSG_HEADER) break;
    if (level === SOL_SOCKET && type === SCM_RIGHTS) {
      for (let n = CMSG_HEADER; n + 4 <= length; n += 4) fds.push(message.i32());
    }
    at += align(length);
  }
  return fds;
}
