/** What the kernel knows of connections, nfnetlink's conntrack: where packets of one go is decided once, at its first. */
import { Packer, Unpacker } from '../bytes.ts';
import { unless } from '../errors.ts';
import {
  type Attributes,
  attribute,
  nestedAttribute,
  parseAttributes,
  u8Attribute,
  u32Attribute,
} from './attributes.ts';
import type { Family } from './ip.ts';
import { NETLINK_NETFILTER, Netlink } from './socket.ts';

const GET = 0x101;
const DELETE = 0x102;
const HEADER = 4;
const CTA_TUPLE_ORIGINAL = 1;
const CTA_ID = 12;
const CTA_ZONE = 18;
const CTA_FILTER = 25;
const CTA_FILTER_ORIGINAL = 1;
const CTA_FILTER_REPLY = 2;
const CTA_TUPLE_PROTOCOL = 2;
const CTA_PROTOCOL_NUMBER = 1;
const CTA_PROTOCOL_TO_PORT = 3;
const FILTER_NUMBER_AND_TO_PORT = 0x08 | 0x20;
const UDP = 17;

/**
 * Forgets the flows of UDP to a port: the next packet of each goes where rules say now. The kernel is asked for these alone; one before
 * 5.8 gives all that it knows, of which the others are left out here.
 */
export function forgetUdpFlows(family: Family, port: number): void {
  using netlink = new Netlink(NETLINK_NETFILTER);
  const protocol = nestedAttribute(
    CTA_TUPLE_PROTOCOL,
    u8Attribute(CTA_PROTOCOL_NUMBER, UDP),
    attribute(CTA_PROTOCOL_TO_PORT, networkOrder(port)),
  );
  const filter = nestedAttribute(
    CTA_FILTER,
    u32Attribute(CTA_FILTER_ORIGINAL, FILTER_NUMBER_AND_TO_PORT),
    u32Attribute(CTA_FILTER_REPLY, 0),
  );
  const wanted = nestedAttribute(CTA_TUPLE_ORIGINAL, protocol);
  const flows = netlink
    .dump('list connections', GET, header(family), wanted, filter)
    .map(({ body }) => parseAttributes(body.subarray(HEADER)))
    .filter((flow) => isUdpTo(flow, port));
  for (const flow of flows)
    unless(['ENOENT'], () =>
      netlink.change('forget a connection', DELETE, 0, header(family), ...identity(flow)),
    );
}

/** struct nfgenmsg: family, version, resource. */
function header(family: Family): Uint8Array {
  return new Packer(HEADER).u8(family).u8(0).u16(0).finish();
}

function networkOrder(port: number): Uint8Array {
  return new Packer(2).u16be(port).finish();
}

function isUdpTo(flow: Attributes, port: number): boolean {
  const tuple = parseAttributes(flow.get(CTA_TUPLE_ORIGINAL) ?? new Uint8Array(0));
  const protocol = parseAttributes(tuple.get(CTA_TUPLE_PROTOCOL) ?? new Uint8Array(0));
  const to = protocol.get(CTA_PROTOCOL_TO_PORT);
  const number = protocol.get(CTA_PROTOCOL_NUMBER);
  return (
    number !== undefined &&
    to !== undefined &&
    new Unpacker(number).u8() === UDP &&
    new Unpacker(to).u16be() === port
  );
}

/** As the kernel gave it; the id keeps a later flow of the same addresses. */
function identity(flow: Attributes): Uint8Array[] {
  return [CTA_TUPLE_ORIGINAL, CTA_ID, CTA_ZONE].flatMap((type) => {
    const value = flow.get(type);
    if (value === undefined) return [];
    return [type === CTA_TUPLE_ORIGINAL ? nestedAttribute(type, value) : attribute(type, value)];
  });
}
