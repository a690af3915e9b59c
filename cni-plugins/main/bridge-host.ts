/** The host's half of `bridge`: the bridge itself, its gateway, and its ports. */
import { hasCode, unless } from '../../src/native/errors.ts';
import { addAddress, deleteAddress, listAddresses } from '../../src/native/netlink/addresses.ts';
import {
  addPortVlan,
  addPortVlans,
  changeBridgePort,
  deletePortVlan,
  listPortVlans,
  setVlanFiltering,
} from '../../src/native/netlink/bridges.ts';
import { formatIp, formatMac } from '../../src/native/netlink/ip.ts';
import { changeLink, createLink, findLink, type Link } from '../../src/native/netlink/links.ts';
import type { Netlink } from '../../src/native/netlink/socket.ts';
import { randomBytes } from '../../src/native/system.ts';
import { CNI_ERROR, CniError } from '../../src/net/cni/errors.ts';
import { makeLink, requireLink } from '../interface.ts';
import { type Cidr, compare, contains, formatCidr, parseCidr } from '../ip.ts';
import { checkInterfaceName } from '../request.ts';
import { setSysctl } from '../sysctl.ts';
import { tryNames } from '../veth.ts';
import type { BridgeConfiguration } from './bridge-configuration.ts';

const SCOPE_GLOBAL = 0;

/** The bridge, made where there is none. Several ADDs may do so at once: one of them makes it. */
export function ensureBridge(host: Netlink, configuration: BridgeConfiguration): Link {
  const { bridge: name, mtu, promiscuous } = configuration;
  // With an address that it was given it keeps that, whichever ports come and go: neighbours remember it.
  const change = { mac: randomMac(), ...(mtu === undefined ? {} : { mtu }) };
  if (findLink(host, name) === undefined)
    unless(['EEXIST'], () => makeLink(host, { kind: 'bridge', name }, change));
  const link = requireLink(host, name, 'the host');
  if (link.kind !== 'bridge') throw new CniError(CNI_ERROR.internal, `interface ${name} is no bridge`);
  // The host takes no routes from what containers announce.
  setSysctl(`ipv6/conf/${name}/accept_ra`, '0');
  if (usesVlans(configuration) && link.details.vlanFiltering !== true) filterVlans(host, link);
  changeLink(host, link.index, { up: true, ...(promiscuous ? { promiscuous } : {}) });
  return link;
}

/** Of nobody's hardware. */
function randomMac(): string {
  const bytes = randomBytes(6);
  bytes[0] = ((bytes[0] ?? 0) & 0xfc) | 0x02;
  return formatMac(bytes);
}

function filterVlans(host: Netlink, { index }: Link): void {
  try {
    setVlanFiltering(host, index, true);
  } catch (cause) {
    if (!hasCode(cause, 'EOPNOTSUPP')) throw cause;
    const message = "this kernel's bridges know no VLANs";
    const details = 'it is built without CONFIG_BRIDGE_VLAN_FILTERING';
    throw new CniError(CNI_ERROR.unsupportedByHost, message, details, { cause });
  }
}

function usesVlans({ vlan, trunk }: BridgeConfiguration): boolean {
  return vlan !== undefined || trunk.length > 0;
}

/** What a port is told once it belongs to the bridge. */
export function configurePort(host: Netlink, port: Link, configuration: BridgeConfiguration): void {
  const { hairpin, isolated, vlan, trunk, keepsDefaultVlan } = configuration;
  if (hairpin || isolated)
    changeBridgePort(host, port.index, {
      ...(hairpin ? { hairpin } : {}),
      ...(isolated ? { isolated } : {}),
    });
  if (!usesVlans(configuration)) return;
  if (!keepsDefaultVlan)
    for (const old of listPortVlans(host, port.index)) deletePortVlan(host, port.index, old);
  for (const { first, last } of trunk) addPortVlans(host, port.index, first, last);
  if (vlan !== undefined) addPortVlan(host, port.index, { id: vlan, pvid: true, untagged: true });
}

/** The interface with the gateway's address: the bridge, or one that takes part in the containers' VLAN. */
export function ensureGateway(host: Netlink, bridge: Link, configuration: BridgeConfiguration): Link {
  const { vlan, mtu, keepsDefaultVlan } = configuration;
  if (vlan === undefined) return bridge;
  const name = `${bridge.name}.${vlan}`;
  checkInterfaceName(name);
  const existing = findLink(host, name);
  if (existing !== undefined) return existing;
  const size = mtu === undefined ? {} : { mtu };
  tryNames((peer) => createLink(host, { kind: 'veth', name, peer: { name: peer, ...size } }, size));
  const gateway = requireLink(host, name, 'the host');
  setSysctl(`ipv6/conf/${name}/accept_ra`, '0');
  const port = { index: gateway.peer ?? 0 };
  changeLink(host, port.index, { master: bridge.index, up: true });
  if (!keepsDefaultVlan)
    for (const old of listPortVlans(host, port.index)) deletePortVlan(host, port.index, old);
  addPortVlan(host, port.index, { id: vlan, pvid: true, untagged: true });
  changeLink(host, gateway.index, { up: true });
  return gateway;
}

/**
 * Gives the gateway's address to an interface that may have it already. Another one of its network, and with IPv4 any other, is in the
 * way: it goes with `forceAddress`, else the ADD fails.
 */
export function ensureAddress(host: Netlink, link: Link, address: Cidr, forceAddress: boolean): void {
  const wanted = { link: link.index, address: formatIp(address.ip), length: address.length };
  const isWanted = (found: Cidr) => found.length === address.length && compare(found.ip, address.ip) === 0;
  for (const found of listAddresses(host)) {
    if (found.link !== link.index || found.scope !== SCOPE_GLOBAL) continue;
    const cidr = parseCidr(`${found.address}/${found.length}`);
    if (cidr.ip.length !== address.ip.length) continue;
    if (isWanted(cidr)) return;
    const isApart = cidr.ip.length === 16 && !contains(cidr, address.ip) && !contains(address, cidr.ip);
    if (isApart) continue;
    if (!forceAddress) {
      const message = `${link.name} has the address ${formatCidr(cidr)}, which is not ${formatCidr(address)}`;
      throw new CniError(CNI_ERROR.internal, message);
    }
    deleteAddress(host, found);
  }
  // Another ADD may have been faster.
  unless(['EEXIST'], () => addAddress(host, wanted));
  // Of a bridge that somebody else has made.
  if (link.mac !== undefined) changeLink(host, link.index, { mac: link.mac });
}
