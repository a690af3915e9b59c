import { Packer, Unpacker } from '../../../src/native/bytes.ts';
import { formatIp } from '../../../src/native/netlink/ip.ts';

/** struct sockaddr_in6 for every address: those of IPv4 are mapped, so that one socket serves both families. */

const AF_INET6 = 10;
export const ADDRESS_BYTES = 28;
const ADDRESS_AT = 8;
const GROUPS = 8;
const MAPPED = 0xffff;

export function packEndpoint(address: string, port: number): Uint8Array {
  const packed = new Packer(ADDRESS_BYTES).u16(AF_INET6).u16be(port).u32(0);
  for (const group of groupsOf(address)) packed.u16be(group);
  return packed.u32(0).finish();
}

/** As it is written by whoever has it: `10.1.2.3`, or all groups of IPv6 with the longest zeros left out. */
export function unpackAddress(address: Uint8Array): string {
  const packed = new Unpacker(address, ADDRESS_AT);
  const groups = Array.from({ length: GROUPS }, () => packed.u16be());
  const [high = 0, low = 0] = groups.slice(6);
  if (groups[5] === MAPPED) return [high >> 8, high & 255, low >> 8, low & 255].join('.');
  return formatIp(address.subarray(ADDRESS_AT, ADDRESS_AT + 2 * GROUPS));
}

function groupsOf(address: string): readonly number[] {
  if (!address.includes(':')) {
    const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number);
    return [0, 0, 0, 0, 0, MAPPED, a * 256 + b, c * 256 + d];
  }
  const [before = [], after = []] = address
    .split('::')
    .map((half) => half.split(':').flatMap((group) => (group === '' ? [] : [Number.parseInt(group, 16)])));
  const zeros = address.includes('::') ? GROUPS - before.length - after.length : 0;
  return [...before, ...Array<number>(zeros).fill(0), ...after];
}
