/** Network interfaces. */
import { Packer, Unpacker } from '../bytes.ts';
import { utf8Encode } from '../engine.ts';
import { unless } from '../errors.ts';
import {
  attribute,
  nestedAttribute,
  parseAttributes,
  textAttribute,
  textOf,
  u8Attribute,
  u32Attribute,
  u32Of,
} from './attributes.ts';
import { AF_INET6, formatMac, parseMac } from './ip.ts';
import { type KindDetails, type NewKind, packKind, parseKind } from './link-kinds.ts';
import { creation, type Netlink } from './socket.ts';

const RTM_NEWLINK = 16;
const RTM_DELLINK = 17;
const RTM_GETLINK = 18;
const HEADER = 16;
const IFF_UP = 1;
const IFF_LOOPBACK = 8;
const IFF_LOWER_UP = 0x10000;
const IFF_NOARP = 0x80;
const IFF_PROMISC = 0x100;
const IFF_ALLMULTI = 0x200;
const NAME_BYTES = 16;
const IFLA = {
  address: 1,
  name: 3,
  mtu: 4,
  link: 5,
  master: 10,
  queueLength: 13,
  info: 18,
  alias: 20,
  ofFamilies: 26,
  namespaceFd: 28,
  peerNamespace: 37,
} as const;
const INFO_KIND = 1;
const INFO_DATA = 2;
const VETH_INFO_PEER = 1;
const IFLA_INET6_ADDR_GEN_MODE = 8;
const IN6_ADDR_GEN_MODE_NONE = 1;

export interface Link {
  readonly index: number;
  readonly name: string;
  readonly up: boolean;
  /** It is up, and has a cable. */
  readonly connected: boolean;
  readonly loopback: boolean;
  readonly mtu: number;
  /** Undefined for interfaces without one. */
  readonly mac: string | undefined;
  /** `veth`, `bridge`, `tun` ...; undefined for hardware and loopback. */
  readonly kind: string | undefined;
  /** The bridge or bond it belongs to, by index. */
  readonly master: number | undefined;
  /** The other end of a veth, the parent of a macvlan; an index that may be of another namespace. */
  readonly peer: number | undefined;
  /** Whether that index is of another network namespace. */
  readonly peerIsElsewhere: boolean;
  /** Whether it asks for the hardware addresses of others. */
  readonly arp: boolean;
  readonly promiscuous: boolean;
  /** Whether it takes the packets of every multicast group. */
  readonly allMulticast: boolean;
  /** How many packets wait to leave, at most. */
  readonly queueLength: number;
  readonly alias: string | undefined;
  /** What only interfaces of its kind have. */
  readonly details: KindDetails;
}

export function listLinks(netlink: Netlink): Link[] {
  return netlink.dump('list links', RTM_GETLINK, header(0)).map(({ body }) => parseLink(body));
}

export function findLink(netlink: Netlink, name: string): Link | undefined {
  const found = unless(['ENODEV'], () =>
    netlink.query(`find link ${name}`, RTM_GETLINK, header(0), textAttribute(IFLA.name, name)),
  );
  return found?.[0] && parseLink(found[0].body);
}

export function linkAt(netlink: Netlink, index: number): Link | undefined {
  const found = unless(['ENODEV'], () => netlink.query(`find link ${index}`, RTM_GETLINK, header(index)));
  return found?.[0] && parseLink(found[0].body);
}

export interface LinkChange {
  readonly up?: boolean;
  readonly mtu?: number;
  readonly mac?: string;
  readonly name?: string;
  /** The index of a bridge; 0 takes it out of its bridge. */
  readonly master?: number;
  /** Moves it to the network namespace of this fd. */
  readonly namespaceFd?: number;
  readonly arp?: boolean;
  readonly promiscuous?: boolean;
  readonly allMulticast?: boolean;
  readonly queueLength?: number;
  /** A note to administrators; an empty one takes it away. */
  readonly alias?: string;
}

export function changeLink(netlink: Netlink, index: number, change: LinkChange): void {
  const parts = attributesOf(change);
  netlink.change(`change link ${index}`, RTM_NEWLINK, 0, header(index, change), ...parts);
}

/** It gets no IPv6 address by itself, and so says nothing by itself. Fails with EAFNOSUPPORT in a kernel without IPv6. */
export function leaveUnaddressed(netlink: Netlink, index: number): void {
  const mode = u8Attribute(IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
  const families = nestedAttribute(IFLA.ofFamilies, nestedAttribute(AF_INET6, mode));
  netlink.change(`leave link ${index} unaddressed`, RTM_NEWLINK, 0, header(index), families);
}

export function deleteLink(netlink: Netlink, index: number): void {
  netlink.change(`delete link ${index}`, RTM_DELLINK, 0, header(index));
}

export type NewLink = { readonly name: string } & (
  | NewKind
  /** The kernel brings no end up that has no other end yet. */
  | { readonly kind: 'veth'; readonly peer: Omit<LinkChange, 'up'> & { readonly name: string } }
);

/** EEXIST where there is one of this name, EOPNOTSUPP where the kernel has none of this kind. */
export function createLink(netlink: Netlink, link: NewLink, change: LinkChange = {}): void {
  const data = link.kind === 'veth' ? packPeer(link.peer) : packKind(link);
  const info = nestedAttribute(
    IFLA.info,
    textAttribute(INFO_KIND, link.kind),
    ...(data.length === 0 ? [] : [nestedAttribute(INFO_DATA, ...data)]),
  );
  const parent = 'parent' in link ? [u32Attribute(IFLA.link, link.parent)] : [];
  const parts = [...attributesOf({ ...change, name: link.name }), ...parent, info];
  netlink.change(`create link ${link.name}`, RTM_NEWLINK, creation.exclusive, header(0, change), ...parts);
}

function packPeer(peer: Omit<LinkChange, 'up'>): Uint8Array[] {
  return [nestedAttribute(VETH_INFO_PEER, header(0, peer), ...attributesOf(peer))];
}

/** struct ifinfomsg: family, type, index, flags, which flags to change. */
function header(index: number, { up, arp, promiscuous, allMulticast }: LinkChange = {}): Uint8Array {
  const wanted = [
    { bit: IFF_UP, value: up },
    { bit: IFF_NOARP, value: arp === undefined ? undefined : !arp },
    { bit: IFF_PROMISC, value: promiscuous },
    { bit: IFF_ALLMULTI, value: allMulticast },
  ].filter(({ value }) => value !== undefined);
  const flags = wanted.reduce((all, { bit, value }) => all | (value ? bit : 0), 0);
  const changed = wanted.reduce((all, { bit }) => all | bit, 0);
  return new Packer(HEADER).u32(0).u32(index).u32(flags).u32(changed).finish();
}

function attributesOf({ name, mtu, mac, master, namespaceFd, queueLength, alias }: LinkChange): Uint8Array[] {
  if (name !== undefined && name.length >= NAME_BYTES) {
    throw new RangeError(`interface name '${name}' is longer than ${NAME_BYTES - 1} bytes`);
  }
  return [
    name === undefined ? undefined : textAttribute(IFLA.name, name),
    mtu === undefined ? undefined : u32Attribute(IFLA.mtu, mtu),
    mac === undefined ? undefined : attribute(IFLA.address, parseMac(mac)),
    master === undefined ? undefined : u32Attribute(IFLA.master, master),
    namespaceFd === undefined ? undefined : u32Attribute(IFLA.namespaceFd, namespaceFd),
    queueLength === undefined ? undefined : u32Attribute(IFLA.queueLength, queueLength),
    alias === undefined ? undefined : attribute(IFLA.alias, utf8Encode(alias)),
  ].filter((part) => part !== undefined);
}

function parseLink(body: Uint8Array): Link {
  const fields = new Unpacker(body, 4);
  const index = fields.i32();
  const flags = fields.u32();
  const attributes = parseAttributes(body.subarray(HEADER));
  const mac = attributes.get(IFLA.address);
  const info = parseAttributes(attributes.get(IFLA.info) ?? new Uint8Array(0));
  const kind = textOf(info, INFO_KIND);
  return {
    index,
    name: textOf(attributes, IFLA.name) ?? '',
    up: (flags & IFF_UP) !== 0,
    connected: (flags & IFF_LOWER_UP) !== 0,
    loopback: (flags & IFF_LOOPBACK) !== 0,
    mtu: u32Of(attributes, IFLA.mtu) ?? 0,
    mac: mac?.length === 6 ? formatMac(mac) : undefined,
    kind,
    master: u32Of(attributes, IFLA.master),
    peer: u32Of(attributes, IFLA.link),
    peerIsElsewhere: attributes.has(IFLA.peerNamespace),
    arp: (flags & IFF_NOARP) === 0,
    promiscuous: (flags & IFF_PROMISC) !== 0,
    allMulticast: (flags & IFF_ALLMULTI) !== 0,
    queueLength: u32Of(attributes, IFLA.queueLength) ?? 0,
    alias: textOf(attributes, IFLA.alias),
    details: parseKind(kind, info.get(INFO_DATA)),
  };
}
