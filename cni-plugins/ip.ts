/** Calculating with addresses: as bytes, of four for IPv4 and of sixteen for IPv6. */
import { formatIp, parseIp } from '../src/native/netlink/ip.ts';
import { badConfiguration } from './failure.ts';

export type Ip = Uint8Array;

/** An address with the length of its network's prefix. */
export interface Cidr {
  readonly ip: Ip;
  readonly length: number;
}

/** `10.1.2.3/24`. */
export function parseCidr(text: string): Cidr {
  const [, address = '', digits = ''] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const length = Number(digits);
  if (address === '') throw badConfiguration(`'${text}' is no address with a prefix length`);
  const ip = parseIp(address);
  if (length > 8 * ip.length) throw badConfiguration(`'${text}' has too long a prefix`);
  return { ip, length };
}

export function formatCidr({ ip, length }: Cidr): string {
  return `${formatIp(ip)}/${length}`;
}

/** An address alone, or one with a prefix length, which is left away. */
export function parseAddress(text: string): Ip {
  return text.includes('/') ? parseCidr(text).ip : parseIp(text);
}

/** The first address of a network. */
export function networkOf({ ip, length }: Cidr): Ip {
  return masked(ip, length, 0x00);
}

/** The last one: for IPv4, where packets to all go. */
export function lastOf({ ip, length }: Cidr): Ip {
  return masked(ip, length, 0xff);
}

/** Ones for the prefix. */
export function maskOf({ ip, length }: Cidr): Ip {
  return masked(new Uint8Array(ip.length).fill(0xff), length, 0x00);
}

/** `fill` in place of the bits after the prefix. */
function masked(ip: Ip, length: number, fill: number): Ip {
  return ip.map((byte, index) => {
    const bits = Math.min(8, Math.max(0, length - 8 * index));
    const mask = (0xff << (8 - bits)) & 0xff;
    return (byte & mask) | (fill & ~mask);
  });
}

export function contains(network: Cidr, ip: Ip): boolean {
  return ip.length === network.ip.length && compare(networkOf({ ...network, ip }), networkOf(network)) === 0;
}

export function isNetwork(cidr: Cidr): boolean {
  return compare(networkOf(cidr), cidr.ip) === 0;
}

/** Below, at or above zero, as for sorting. Of two addresses of one family. */
export function compare(a: Ip, b: Ip): number {
  const at = a.findIndex((byte, index) => byte !== b[index]);
  return at === -1 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}

export function next(ip: Ip): Ip {
  return plus(ip, 1);
}

export function previous(ip: Ip): Ip {
  return plus(ip, -1);
}

/** Beyond the last address is the first one. */
function plus(ip: Ip, step: 1 | -1): Ip {
  const result = ip.slice();
  for (let index = result.length - 1; index >= 0; index--) {
    const sum = (result[index] ?? 0) + step;
    result[index] = sum & 0xff;
    if (sum >= 0 && sum <= 0xff) break;
  }
  return result;
}
