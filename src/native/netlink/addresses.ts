/** Addresses of interfaces. */
import { Packer, Unpacker } from '../bytes.ts';
import { attribute, parseAttributes, u32Attribute, u32Of } from './attributes.ts';
import { AF_INET6, type Family, familyOf, formatIp, type Prefix, parseIp } from './ip.ts';
import { creation, type Netlink } from './socket.ts';

const RTM_NEWADDR = 20;
const RTM_DELADDR = 21;
const RTM_GETADDR = 22;
const HEADER = 8;
const IFA = { address: 1, local: 2, broadcast: 4, cacheInfo: 6, flags: 8 } as const;
/** No duplicate address detection: an IPv6 address is usable at once. */
const IFA_F_NODAD = 0x02;
const IFA_F_TENTATIVE = 0x40;
const IFA_F_DADFAILED = 0x08;
const IFA_F_DEPRECATED = 0x20;
const IFA_F_PERMANENT = 0x80;
const IFA_F_NOPREFIXROUTE = 0x200;
const FOREVER = 0xffffffff;

export interface InterfaceAddress extends Prefix {
  /** The interface's index. */
  readonly link: number;
  /** 0 global, 253 link, 254 host. */
  readonly scope: number;
  readonly broadcast?: string;
  /** The far end of a point-to-point address. */
  readonly peer?: string;
  /** How far an IPv6 address is from being known as nobody else's. */
  readonly detection: 'running' | 'failed' | 'over';
  /** False for one that ends by itself, as those that routers give. */
  readonly permanent: boolean;
  /** New connections are to have another. */
  readonly deprecated: boolean;
  /** Whether the kernel adds the route to the address's network. */
  readonly prefixRoute: boolean;
}

export function listAddresses(netlink: Netlink): InterfaceAddress[] {
  return netlink
    .dump('list addresses', RTM_GETADDR, header(0, 0, 0, 0))
    .map(({ body }) => parseAddress(body));
}

export type NewAddress = Pick<InterfaceAddress, 'link' | 'address' | 'length' | 'broadcast' | 'peer'> & {
  readonly scope?: number;
  /** Whether an IPv6 address waits until nobody else is known to have it; false unless given. */
  readonly detectDuplicates?: boolean;
  readonly deprecated?: boolean;
  /** Whether the kernel adds the route to the address's network; true unless given. */
  readonly prefixRoute?: boolean;
};

/** EEXIST where the interface has it. */
export function addAddress(netlink: Netlink, address: NewAddress): void {
  const what = `add address ${address.address}/${address.length}`;
  netlink.change(what, RTM_NEWADDR, creation.exclusive, ...pack(address));
}

export function deleteAddress(netlink: Netlink, address: NewAddress): void {
  const what = `delete address ${address.address}/${address.length}`;
  netlink.change(what, RTM_DELADDR, 0, ...pack(address));
}

/** struct ifaddrmsg: family, prefix length, flags, scope, interface. */
function header(family: number, length: number, scope: number, link: number): Uint8Array {
  return new Packer(HEADER).u8(family).u8(length).u8(0).u8(scope).u32(link).finish();
}

function pack(address: NewAddress): Uint8Array[] {
  const bytes = parseIp(address.address);
  const parts = [
    header(familyOf(bytes), address.length, address.scope ?? 0, address.link),
    attribute(IFA.local, bytes),
    attribute(IFA.address, address.peer === undefined ? bytes : parseIp(address.peer)),
    u32Attribute(IFA.flags, flagsOf(address, familyOf(bytes))),
  ];
  if (address.deprecated === true) parts.push(attribute(IFA.cacheInfo, deprecation()));
  if (address.broadcast !== undefined) parts.push(attribute(IFA.broadcast, parseIp(address.broadcast)));
  return parts;
}

/** struct ifa_cacheinfo: how long it is preferred, how long it is valid, two times. */
function deprecation(): Uint8Array {
  return new Packer(16).u32(0).u32(FOREVER).zeros(8).finish();
}

function flagsOf({ detectDuplicates, prefixRoute }: NewAddress, family: Family): number {
  const detection = family === AF_INET6 && detectDuplicates !== true ? IFA_F_NODAD : 0;
  return detection | (prefixRoute === false ? IFA_F_NOPREFIXROUTE : 0);
}

export function parseAddress(body: Uint8Array): InterfaceAddress {
  const fields = new Unpacker(body, 1);
  const length = fields.u8();
  const lowFlags = fields.u8();
  const scope = fields.u8();
  const link = fields.u32();
  const attributes = parseAttributes(body.subarray(HEADER));
  const text = (type: number) => {
    const value = attributes.get(type);
    return value && formatIp(value);
  };
  // IPv6 without a peer has only `address`; with a peer, `local` is ours and `address` the peer's.
  const far = text(IFA.address) ?? '';
  const address = text(IFA.local) ?? far;
  const broadcast = text(IFA.broadcast);
  const flags = u32Of(attributes, IFA.flags) ?? lowFlags;
  return {
    link,
    address,
    length,
    scope,
    detection: detectionOf(flags),
    permanent: (flags & IFA_F_PERMANENT) !== 0,
    deprecated: (flags & IFA_F_DEPRECATED) !== 0,
    prefixRoute: (flags & IFA_F_NOPREFIXROUTE) === 0,
    ...(broadcast === undefined ? {} : { broadcast }),
    ...(far === address ? {} : { peer: far }),
  };
}

function detectionOf(flags: number): InterfaceAddress['detection'] {
  if ((flags & IFA_F_DADFAILED) !== 0) return 'failed';
  return (flags & IFA_F_TENTATIVE) !== 0 ? 'running' : 'over';
}
