/** Ports of this process's network namespace. */
import { Packer, Unpacker } from './bytes.ts';
import { unless } from './errors.ts';
import { close } from './files.ts';
import { formatIp } from './netlink/ip.ts';
import { attempt, call, checked } from './syscall.ts';

export type InetProtocol = 'tcp' | 'udp';

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
const SHUT_WR = 1;
/** struct sockaddr_in6: family, port, flow, address, scope. */
const SOCKADDR_BYTES = 28;
const BACKLOG = 128;
const types: Readonly<Record<InetProtocol, number>> = { tcp: 1, udp: 2 };

/** Whether a port can be had on all addresses: nobody has it on any, of either family. */
export function isPortFree(protocol: InetProtocol, port: number): boolean {
  const fd = call('socket', AF_INET, types[protocol] | SOCK_CLOEXEC, 0);
  try {
    // Connections of one who has ended are in nobody's way; of UDP the option would share the port.
    if (protocol === 'tcp') setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    return unless(['EADDRINUSE'], () => bindEverywhere(fd, port)) !== undefined;
  } finally {
    close(fd);
  }
}

/** struct sockaddr_in: family, port, address, padding. */
function bindEverywhere(fd: number, port: number): true {
  const address = new Packer(16).u16(AF_INET).u16be(port).zeros(12).finish();
  checked('bind', attempt('bind', fd, address, address.length));
  return true;
}

function setOption(fd: number, level: number, option: number, value: number): void {
  call('setsockopt', fd, level, option, new Packer(4).u32(value).finish(), 4);
}

/** Takes connections to a port of all addresses, of both families where the host has both; it does not block. EADDRINUSE where somebody has the port. */
export function listenTcp(port: number): number {
  const type = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
  const v6 = unless(['EAFNOSUPPORT'], () => call('socket', AF_INET6, type, 0));
  const fd = v6 ?? call('socket', AF_INET, type, 0);
  try {
    setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (v6 !== undefined) setOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    // All addresses of a family are the one of zeros.
    const address = new Packer(SOCKADDR_BYTES)
      .u16(v6 === undefined ? AF_INET : AF_INET6)
      .u16be(port)
      .zeros(24)
      .finish();
    call('bind', fd, address, address.length);
    call('listen', fd, BACKLOG);
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

export function boundPort(fd: number): number {
  return nameOf('getsockname', fd).skip(2).u16be();
}

/** Who is at the other end. IPv4 may come as `::ffff:192.0.2.1`'s number. ENOTCONN where he is gone already. */
export function peerAddress(fd: number): string {
  const name = nameOf('getpeername', fd);
  const isV4 = name.u16() === AF_INET;
  return formatIp(name.skip(isV4 ? 2 : 6).take(isV4 ? 4 : 16));
}

/** The other end gets an end of all that is sent; what it sends can be read still. */
export function endSending(fd: number): void {
  call('shutdown', fd, SHUT_WR);
}

function nameOf(what: 'getsockname' | 'getpeername', fd: number): Unpacker {
  const out = new Uint8Array(SOCKADDR_BYTES);
  call(what, fd, out, new Packer(4).u32(out.length).finish());
  return new Unpacker(out);
}
