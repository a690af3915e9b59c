import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { PortProtocol } from '../abi/published-ports.ts';
import type { PortRange } from '../net/free-port.ts';
import { parseListeners, parseSctpListeners } from '../net/listeners.ts';
import type { HostPorts } from '../net/published-ports.ts';
import { isSystemError } from '../os/syscall.ts';

/** What the programs of this network namespace have for themselves. */
export function hostListeners(protocols: ReadonlySet<PortProtocol>): readonly HostPorts[] {
  return [...protocols].flatMap((protocol) => {
    if (protocol === 'sctp') return parseSctpListeners(read('/proc/net/sctp/eps'));
    const files = [`/proc/net/${protocol}`, `/proc/net/${protocol}6`];
    return files.flatMap((file) => parseListeners(protocol, read(file)));
  });
}

/** What the kernel gives to whoever asks for no port in particular; of IPv6, too. */
export function ephemeralPorts(): PortRange {
  const [first, last] = read('/proc/sys/net/ipv4/ip_local_port_range').trim().split(/\s+/).map(Number);
  return { first: first ?? 0, last: last ?? 0 };
}

export function anyNumber(): number {
  return randomInt(2 ** 31);
}

/** A kernel without a protocol has no file of it. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return '';
    throw error;
  }
}
