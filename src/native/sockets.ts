/** Unix sockets, with file descriptors as cargo. */
import { Packer, Unpacker } from './bytes.ts';
import { utf8Decode, utf8Encode } from './engine.ts';
import { SystemError, unless } from './errors.ts';
import { attempt, call, checked } from './syscall.ts';

export type SocketKind = 'stream' | 'datagram' | 'seqpacket';

const AF_UNIX = 1;
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const SO_ACCEPTCONN = 30;
const SO_DOMAIN = 39;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;
const ENAMETOOLONG = 36;
const EAGAIN = -11;
const PATH_BYTES = 108;

const socketTypes = { stream: 1, datagram: 2, seqpacket: 5 } as const;

/** A name in the file system, in the abstract space, or one that the kernel picks there (autobind). */
export type UnixAddress =
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'abstract'; readonly name: string }
  | { readonly kind: 'auto' };

const typeBits = (kind: SocketKind, nonBlocking: boolean) =>
  socketTypes[kind] | SOCK_CLOEXEC | (nonBlocking ? SOCK_NONBLOCK : 0);

export function openSocket(kind: SocketKind, { nonBlocking = false } = {}): number {
  return call('socket', AF_UNIX, typeBits(kind, nonBlocking), 0);
}

export function socketPair(kind: SocketKind, { nonBlocking = false } = {}): readonly [number, number] {
  const out = new Uint8Array(8);
  call('socketpair', AF_UNIX, typeBits(kind, nonBlocking), 0, out);
  const fds = new Unpacker(out);
  return [fds.i32(), fds.i32()];
}

/** struct sockaddr_un, in its used length. */
export function packAddress(address: UnixAddress): Uint8Array {
  const out = new Packer(PATH_BYTES + 2).u16(AF_UNIX);
  switch (address.kind) {
    case 'auto':
      return out.finish();
    case 'abstract':
      return out.u8(0).bytes(utf8Encode(address.name)).finish();
    case 'path': {
      const path = utf8Encode(address.path);
      if (path.length >= PATH_BYTES) throw new SystemError('bind', ENAMETOOLONG, { path: address.path });
      return out.bytes(path).u8(0).finish();
    }
    default:
      return address satisfies never;
  }
}

function placeOf(address: UnixAddress): { path?: string } {
  return address.kind === 'path' ? { path: address.path } : {};
}

export function bind(fd: number, address: UnixAddress): void {
  const packed = packAddress(address);
  checked('bind', attempt('bind', fd, packed, packed.length), placeOf(address));
}

function listen(fd: number, backlog = 16): void {
  call('listen', fd, backlog);
}

/** A bound, listening socket. */
export function listenAt(
  kind: SocketKind,
  address: UnixAddress,
  options?: { nonBlocking?: boolean },
): number {
  const fd = openSocket(kind, options);
  bind(fd, address);
  listen(fd);
  return fd;
}

export function connectTo(kind: SocketKind, address: UnixAddress): number {
  const fd = openSocket(kind);
  const packed = packAddress(address);
  const result = attempt('connect', fd, packed, packed.length);
  if (result < 0) call('close', fd);
  checked('connect', result, placeOf(address));
  return fd;
}

/** The next connection; undefined when none is waiting. */
export function accept(fd: number, { nonBlocking = false } = {}): number | undefined {
  const result = attempt('accept4', fd, null, null, SOCK_CLOEXEC | (nonBlocking ? SOCK_NONBLOCK : 0));
  return result === EAGAIN ? undefined : checked('accept', result);
}

/** Where a socket is bound: the name that autobind picked, for example. */
export function boundAddress(fd: number): UnixAddress {
  const out = new Uint8Array(PATH_BYTES + 2);
  const length = new Packer(4).u32(out.length).finish();
  call('getsockname', fd, out, length);
  const name = out.subarray(2, new Unpacker(length).u32());
  if (name.length === 0) return { kind: 'auto' };
  if (name[0] === 0) return { kind: 'abstract', name: utf8Decode(name.subarray(1)) };
  const end = name.indexOf(0);
  return { kind: 'path', path: utf8Decode(end === -1 ? name : name.subarray(0, end)) };
}

/** Whether a socket, which somebody else has opened, is one of this kind. */
export function isUnixSocket(fd: number): boolean {
  return socketOption(fd, SO_DOMAIN) === AF_UNIX;
}

/** Whether a descriptor is a socket that connections come to; false for one that is none, or not open. */
export function isListening(fd: number): boolean {
  return unless(['ENOTSOCK', 'EBADF'], () => socketOption(fd, SO_ACCEPTCONN)) === 1;
}

function socketOption(fd: number, option: number): number {
  const out = new Uint8Array(4);
  call('getsockopt', fd, SOL_SOCKET, option, out, new Packer(4).u32(out.length).finish());
  return new Unpacker(out).u32();
}

export interface Credentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** Who connected, or made the pair; as of then. */
export function peerCredentials(fd: number): Credentials {
  const out = new Uint8Array(12);
  call('getsockopt', fd, SOL_SOCKET, SO_PEERCRED, out, new Packer(4).u32(out.length).finish());
  const fields = new Unpacker(out);
  return { pid: fields.u32(), uid: fields.u32(), gid: fields.u32() };
}
