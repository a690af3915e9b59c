/** Ports of a bridge, and the VLANs that each takes part in. */
import { Packer, Unpacker } from '../bytes.ts';
import {
  attribute,
  eachAttribute,
  nestedAttribute,
  parseAttributes,
  textAttribute,
  u8Attribute,
  u16Attribute,
} from './attributes.ts';
import type { Netlink } from './socket.ts';

const RTM_NEWLINK = 16;
const RTM_DELLINK = 17;
const RTM_GETLINK = 18;
const RTM_SETLINK = 19;
const AF_BRIDGE = 7;
const HEADER = 16;
const IFLA = { portInfo: 12, info: 18, afSpec: 26, extMask: 29 } as const;
const INFO_KIND = 1;
const INFO_DATA = 2;
const IFLA_BR_VLAN_FILTERING = 7;
const BRPORT = { mode: 4, isolated: 33 } as const;
const BRIDGE_FLAGS = 0;
const BRIDGE_VLAN_INFO = 2;
const FLAGS_MASTER = 1;
const RTEXT_FILTER_BRVLAN = 2;
const VLAN = { pvid: 2, untagged: 4, rangeBegin: 8, rangeEnd: 16 } as const;

export interface BridgePort {
  /** What came in through it may leave through it. */
  readonly hairpin?: boolean;
  /** It talks to no other port that is isolated. */
  readonly isolated?: boolean;
}

export function changeBridgePort(netlink: Netlink, link: number, { hairpin, isolated }: BridgePort): void {
  const parts = [
    hairpin === undefined ? undefined : u8Attribute(BRPORT.mode, hairpin ? 1 : 0),
    isolated === undefined ? undefined : u8Attribute(BRPORT.isolated, isolated ? 1 : 0),
  ].filter((part) => part !== undefined);
  const what = `change port ${link} of its bridge`;
  netlink.change(what, RTM_SETLINK, 0, header(link), nestedAttribute(IFLA.portInfo, ...parts));
}

export function setVlanFiltering(netlink: Netlink, bridge: number, on: boolean): void {
  const data = nestedAttribute(INFO_DATA, u8Attribute(IFLA_BR_VLAN_FILTERING, on ? 1 : 0));
  const info = nestedAttribute(IFLA.info, textAttribute(INFO_KIND, 'bridge'), data);
  const what = `filter vlans of bridge ${bridge}`;
  netlink.change(what, RTM_NEWLINK, 0, new Packer(HEADER).u32(0).u32(bridge).zeros(8).finish(), info);
}

export interface PortVlan {
  readonly id: number;
  /** What comes in without a tag is of this one. */
  readonly pvid: boolean;
  /** Leaves without its tag. */
  readonly untagged: boolean;
}

export function addPortVlan(netlink: Netlink, link: number, vlan: PortVlan): void {
  const what = `add vlan ${vlan.id} to port ${link}`;
  netlink.change(what, RTM_SETLINK, 0, header(link), vlanSpec([vlanInfo(vlan, 0)]));
}

/** All from `first` to `last`, tagged. */
export function addPortVlans(netlink: Netlink, link: number, first: number, last: number): void {
  const plain = { pvid: false, untagged: false };
  // The kernel takes no range of one.
  const infos =
    first === last
      ? [vlanInfo({ id: first, ...plain }, 0)]
      : [vlanInfo({ id: first, ...plain }, VLAN.rangeBegin), vlanInfo({ id: last, ...plain }, VLAN.rangeEnd)];
  const what = `add vlans ${first} to ${last} to port ${link}`;
  netlink.change(what, RTM_SETLINK, 0, header(link), vlanSpec(infos));
}

export function deletePortVlan(netlink: Netlink, link: number, vlan: PortVlan): void {
  const what = `delete vlan ${vlan.id} of port ${link}`;
  netlink.change(what, RTM_DELLINK, 0, header(link), vlanSpec([vlanInfo(vlan, 0)]));
}

/** Those of one port of a bridge, or of the bridge itself. */
export function listPortVlans(netlink: Netlink, link: number): PortVlan[] {
  const mask = attribute(IFLA.extMask, new Packer(4).u32(RTEXT_FILTER_BRVLAN).finish());
  return netlink
    .dump('list vlans', RTM_GETLINK, header(0), mask)
    .filter(({ body }) => new Unpacker(body, 4).i32() === link)
    .flatMap(({ body }) => {
      const spec = parseAttributes(body.subarray(HEADER)).get(IFLA.afSpec) ?? new Uint8Array(0);
      return eachAttribute(spec)
        .filter(({ type }) => type === BRIDGE_VLAN_INFO)
        .map(({ value }) => parseVlan(value));
    });
}

function parseVlan(value: Uint8Array): PortVlan {
  const fields = new Unpacker(value);
  const flags = fields.u16();
  return { id: fields.u16(), pvid: (flags & VLAN.pvid) !== 0, untagged: (flags & VLAN.untagged) !== 0 };
}

function vlanSpec(infos: readonly Uint8Array[]): Uint8Array {
  return nestedAttribute(IFLA.afSpec, u16Attribute(BRIDGE_FLAGS, FLAGS_MASTER), ...infos);
}

/** struct bridge_vlan_info: flags, id. */
function vlanInfo({ id, pvid, untagged }: PortVlan, range: number): Uint8Array {
  const flags = (pvid ? VLAN.pvid : 0) | (untagged ? VLAN.untagged : 0) | range;
  return attribute(BRIDGE_VLAN_INFO, new Packer(4).u16(flags).u16(id).finish());
}

/** struct ifinfomsg of bridges. */
function header(link: number): Uint8Array {
  return new Packer(HEADER).u32(AF_BRIDGE).u32(link).zeros(8).finish();
}
