/**
 * Masquerading: what a container sends beyond its own network leaves with the host's address. Rules are found by the container's id
 * alone, so that they can be taken away when nothing else is known of it.
 */
import { SystemError } from '../src/native/errors.ts';
import { formatIp } from '../src/native/netlink/ip.ts';
import { createMasqueradeTable } from '../src/native/netlink/nftables.ts';
import type { Attachment } from '../src/net/cni/configuration.ts';
import type { NetworkAttachment } from './attachment.ts';
import { type Cidr, formatCidr, maskOf, networkOf, parseCidr } from './ip.ts';
import type { IpVersion } from './iptables.ts';
import { tableName } from './nft.ts';
import {
  type Backend,
  keepPacketRules,
  removePacketRules,
  setPacketRules,
  standardBackend,
} from './packet-rules.ts';

const KIND = 'cni-masquerade';

/** What goes to many stays on the link; it has no one host that could answer. */
const MULTICAST = { v4: '224.0.0.0/4', v6: 'ff00::/8' } as const;

export interface MasqueradeRequest extends NetworkAttachment {
  /** The container's, with their prefix lengths: `10.1.2.3/24`. */
  readonly addresses: readonly string[];
  readonly backend?: Backend | undefined;
}

/** Idempotent: the rules are those of the last call. */
export function setUpMasquerade({
  addresses,
  backend = standardBackend(),
  ...attachment
}: MasqueradeRequest): void {
  const parsed = addresses.map(parseCidr);
  if (backend === 'nftables' && createsTable(tableName(KIND, attachment), parsed)) return;
  setPacketRules(KIND, attachment, backend, {
    nftables: () => nftRules(parsed),
    iptables: (version, owner) => iptablesRules(version, owner, parsed),
  });
}

/** Without `nft`, which takes longer than all else. It is asked where there is a table already, or the kernel will not: it says why. */
function createsTable(name: string, addresses: readonly Cidr[]): boolean {
  const rules = addresses.map((cidr) => ({
    source: cidr.ip,
    near: [cidr, parseCidr(MULTICAST[versionOf(cidr)])].map((network) => ({
      network: networkOf(network),
      mask: maskOf(network),
    })),
  }));
  try {
    createMasqueradeTable(name, rules);
    return true;
  } catch (error) {
    if (error instanceof SystemError) return false;
    throw error;
  }
}

/** Also where there are none. */
export function tearDownMasquerade(attachment: NetworkAttachment): void {
  removePacketRules(KIND, attachment);
}

/** Of a network, the rules of these attachments stay, and no others. */
export function keepMasquerade(network: string, valid: readonly Attachment[]): void {
  keepPacketRules(KIND, network, valid);
}

function versionOf({ ip }: Cidr): IpVersion {
  return ip.length === 4 ? 'v4' : 'v6';
}

function networkText(cidr: Cidr): string {
  return formatCidr({ ...cidr, ip: networkOf(cidr) });
}

function nftRules(addresses: readonly Cidr[]): string[] {
  const rules = addresses.map((cidr) => {
    const family = cidr.ip.length === 4 ? 'ip' : 'ip6';
    const near = `{ ${networkText(cidr)}, ${MULTICAST[versionOf(cidr)]} }`;
    return `${family} saddr ${formatIp(cidr.ip)} ${family} daddr != ${near} masquerade`;
  });
  return ['chain postrouting {', 'type nat hook postrouting priority srcnat;', ...rules, '}'];
}

function iptablesRules(version: IpVersion, owner: string, addresses: readonly Cidr[]): string[] {
  return addresses
    .filter((cidr) => versionOf(cidr) === version)
    .map(
      (cidr) =>
        `-A POSTROUTING -s ${formatIp(cidr.ip)} ! -d ${networkText(cidr)} -m addrtype ! --dst-type MULTICAST ${owner} -j MASQUERADE`,
    );
}
