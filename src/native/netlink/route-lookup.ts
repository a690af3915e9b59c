import { Packer } from '../bytes.ts';
import { unless } from '../errors.ts';
import { attribute, parseAttributes, u32Of } from './attributes.ts';
import { familyOf, parseIp } from './ip.ts';
import type { Netlink } from './socket.ts';

const RTM_GETROUTE = 26;
const HEADER = 12;
const RTA_DESTINATION = 1;
const RTA_LINK = 4;

/** The index of the interface that packets to an address leave by; undefined where none does. */
export function outgoingLink(netlink: Netlink, address: string): number | undefined {
  const bytes = parseIp(address);
  const header = new Packer(HEADER)
    .u8(familyOf(bytes))
    .u8(8 * bytes.length)
    .zeros(10)
    .finish();
  const found = unless(['ENETUNREACH', 'EHOSTUNREACH'], () =>
    netlink.query(`find the way to ${address}`, RTM_GETROUTE, header, attribute(RTA_DESTINATION, bytes)),
  );
  return found?.[0] && u32Of(parseAttributes(found[0].body.subarray(HEADER)), RTA_LINK);
}
