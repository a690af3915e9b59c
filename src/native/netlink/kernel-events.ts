/** What the kernel tells of its devices (NETLINK_KOBJECT_UEVENT), to the network namespace that it started with. */
import { Packer } from '../bytes.ts';
import { utf8Decode } from '../engine.ts';
import { hasCode } from '../errors.ts';
import { receive } from '../messages.ts';
import { call } from '../syscall.ts';

const AF_NETLINK = 16;
const DATAGRAM = 2 | 0o2000000 | 0o4000;
const KOBJECT_UEVENT = 15;
const OF_THE_KERNEL = 1;
const LONGEST = 8192;

/** An event's variables by their names, `ACTION` and `DEVNAME` among them. */
export type KernelEvent = ReadonlyMap<string, string>;

/** Becomes readable with an event. */
export function openKernelEvents(): number {
  const fd = call('socket', AF_NETLINK, DATAGRAM, KOBJECT_UEVENT);
  // struct sockaddr_nl: family, padding, a port of the kernel's choice, the group.
  const address = new Packer(12).u16(AF_NETLINK).zeros(6).u32(OF_THE_KERNEL).finish();
  call('bind', fd, address, address.length);
  return fd;
}

/** The next one; undefined where there is none yet. An empty one where some were lost because nobody read them. */
export function readKernelEvent(fd: number): KernelEvent | undefined {
  try {
    const received = receive(fd, LONGEST);
    return received === undefined ? undefined : parseKernelEvent(received.bytes);
  } catch (error) {
    if (hasCode(error, 'ENOBUFS')) return new Map();
    throw error;
  }
}

/** `ACTION@PATH`, then variables, each ended by a NUL. */
export function parseKernelEvent(bytes: Uint8Array): KernelEvent {
  const [, ...variables] = utf8Decode(bytes).split('\0');
  return new Map(
    variables.flatMap((variable): [string, string][] => {
      const at = variable.indexOf('=');
      return at < 0 ? [] : [[variable.slice(0, at), variable.slice(at + 1)]];
    }),
  );
}
