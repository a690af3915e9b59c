/** What hardware addresses neighbours have, ip-neighbour(8): those that somebody has set, not what the kernel has found out. */
import { Packer, Unpacker } from '../bytes.ts';
import { attribute, parseAttributes } from './attributes.ts';
import { familyOf, formatIp, formatMac, parseIp, parseMac } from './ip.ts';
import { creation, type Netlink } from './socket.ts';

const RTM_NEWNEIGH = 28;
const RTM_GETNEIGH = 30;
const HEADER = 12;
const NDA = { destination: 1, linkAddress: 2 } as const;
const NUD_PERMANENT = 0x80;
const NTF_PROXY = 0x08;
const MAC_BYTES = 6;

export interface Neighbour {
  /** The interface's index. */
  readonly link: number;
  readonly address: string;
  /** Undefined for an address that this machine answers for. */
  readonly mac: string | undefined;
}

export function listSetNeighbours(netlink: Netlink): Neighbour[] {
  return [0, NTF_PROXY].flatMap((flags) =>
    netlink
      .dump('list neighbours', RTM_GETNEIGH, header(0, 0, 0, flags))
      .flatMap(({ body }) => parseNeighbour(body) ?? []),
  );
}

/** In the place of what was known. */
export function setNeighbour(netlink: Netlink, { link, address, mac }: Neighbour): void {
  const bytes = parseIp(address);
  const [state, flags] = mac === undefined ? [0, NTF_PROXY] : [NUD_PERMANENT, 0];
  netlink.change(
    `set neighbour ${address}`,
    RTM_NEWNEIGH,
    creation.replace,
    header(familyOf(bytes), link, state, flags),
    attribute(NDA.destination, bytes),
    ...(mac === undefined ? [] : [attribute(NDA.linkAddress, parseMac(mac))]),
  );
}

/** struct ndmsg: family, interface, state, flags, type. */
function header(family: number, link: number, state: number, flags: number): Uint8Array {
  return new Packer(HEADER).u8(family).zeros(3).u32(link).u16(state).u8(flags).u8(0).finish();
}

function parseNeighbour(body: Uint8Array): Neighbour | undefined {
  const fields = new Unpacker(body, 4);
  const link = fields.u32();
  const state = fields.u16();
  const isProxy = (fields.u8() & NTF_PROXY) !== 0;
  const attributes = parseAttributes(body.subarray(HEADER));
  const address = attributes.get(NDA.destination);
  const mac = attributes.get(NDA.linkAddress);
  if (address === undefined) return undefined;
  if (isProxy) return { link, address: formatIp(address), mac: undefined };
  const isSet = (state & NUD_PERMANENT) !== 0 && mac?.length === MAC_BYTES;
  return isSet ? { link, address: formatIp(address), mac: formatMac(mac) } : undefined;
}
