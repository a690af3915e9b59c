/** Ports of IPv4 in this process's network namespace. */
import { Packer } from './bytes.ts';
import { unless } from './errors.ts';
import { close } from './files.ts';
import { attempt, call, checked } from './syscall.ts';

export type InetProtocol = 'tcp' | 'udp';

const AF_INET = 2;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const types: Readonly<Record<InetProtocol, number>> = { tcp: 1, udp: 2 };

/** Whether a port can be had on all addresses: nobody has it on any, of either family. */
export function isPortFree(protocol: InetProtocol, port: number): boolean {
  const fd = call('socket', AF_INET, types[protocol] | SOCK_CLOEXEC, 0);
  try {
    // Connections of one who has ended are in nobody's way; of UDP the option would share the port.
    if (protocol === 'tcp')
      call('setsockopt', fd, SOL_SOCKET, SO_REUSEADDR, new Packer(4).u32(1).finish(), 4);
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
