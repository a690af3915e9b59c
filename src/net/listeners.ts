/** Ports that programs of the host have for themselves, as /proc/net tells of them. */
import { LARGEST_PORT, type PortProtocol } from '../abi/published-ports.ts';
import { canonicalAddress } from './address.ts';
import type { HostPorts } from './published-ports.ts';

/** A TCP socket that listens, and a UDP socket that takes from anybody. */
const STATES = { tcp: '0A', udp: '07' } as const;

/** /proc/net/tcp, tcp6, udp and udp6. What is no line of a socket is left out. */
export function parseListeners(protocol: keyof typeof STATES, text: string): readonly HostPorts[] {
  return text.split('\n').flatMap((line) => {
    const [, hex = '', digits = '', state] = SOCKET.exec(line) ?? [];
    return state === STATES[protocol]
      ? listener(protocol, formatAddress(hex), Number.parseInt(digits, 16))
      : [];
  });
}

const SOCKET =
  /^\s*\d+:\s+([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})\s+[0-9A-F]+:[0-9A-F]{4}\s+([0-9A-F]{2})\s/;

/** Words of four bytes, each backwards, as this machine's processor has them. */
function formatAddress(hex: string): string {
  const words = hex.match(/.{8}/g) ?? [];
  const bytes = words.flatMap((word) => [...(word.match(/../g) ?? [])].reverse());
  if (bytes.length === 4) return bytes.map((byte) => Number.parseInt(byte, 16)).join('.');
  return (bytes.join('').match(/.{4}/g) ?? []).join(':');
}

/** /proc/net/sctp/eps: the port is the sixth word, addresses are from the ninth on. */
export function parseSctpListeners(text: string): readonly HostPorts[] {
  return text.split('\n').flatMap((line) => {
    const [, , , state, , port, , , ...addresses] = line.trim().split(/\s+/);
    return state === '10' ? addresses.flatMap((address) => listener('sctp', address, Number(port))) : [];
  });
}

/** A socket of `::` takes what comes by IPv4 as well, unless it has been told not to: which cannot be seen. */
function listener(protocol: PortProtocol, text: string, hostPort: number): readonly HostPorts[] {
  const address = canonicalAddress(text);
  if (address === undefined || !(hostPort >= 1 && hostPort <= LARGEST_PORT)) return [];
  const [, high = '', low = ''] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(address) ?? [];
  const mapped = [high, low].flatMap((group) => [
    Number.parseInt(group, 16) >> 8,
    Number.parseInt(group, 16) & 255,
  ]);
  const hostIP = high === '' ? address : mapped.join('.');
  return [{ protocol, ...(hostIP === '::' ? {} : { hostIP }), hostPort, count: 1 }];
}
