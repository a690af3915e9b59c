/** An attachment's rules of address translation, by nftables, or by iptables where only that exists. */
import type { Attachment } from '../src/net/cni/configuration.ts';
import { CNI_ERROR, CniError } from '../src/net/cni/errors.ts';
import { isGone, isSameAs, type NetworkAttachment } from './attachment.ts';
import { changeIptables, hasIptables, IP_VERSIONS, type IpVersion, ownerMatch } from './iptables.ts';
import { hasNft, listNftTables, removeNftTable, setNftTable } from './nft.ts';

export type Backend = 'nftables' | 'iptables';

/** The same rules in two languages. */
export interface PacketRules {
  /** Of a table of its own, for both families. */
  readonly nftables: () => readonly string[];
  /** Of the table `nat`. `owner` goes into each. A family without rules may be one that the host does not have. */
  readonly iptables: (version: IpVersion, owner: string) => readonly string[];
}

export function standardBackend(): Backend {
  if (hasNft()) return 'nftables';
  if (hasIptables('v4')) return 'iptables';
  const message = 'this host has neither nft nor iptables: install nftables';
  throw new CniError(CNI_ERROR.unsupportedByHost, message);
}

/** In place of what the attachment has of the kind. */
export function setPacketRules(
  kind: string,
  attachment: NetworkAttachment,
  backend: Backend,
  rules: PacketRules,
): void {
  if (backend === 'nftables') {
    setNftTable(kind, attachment, rules.nftables());
    return;
  }
  for (const version of IP_VERSIONS) {
    const wanted = rules.iptables(version, ownerMatch(kind, attachment));
    if (wanted.length > 0) changeIptables(version, 'nat', kind, isSameAs(attachment), { rules: wanted });
  }
}

/**
 * Whichever made them, which was one of the two: a host may have got the other program meanwhile. To list what iptables has takes longer
 * than all else.
 */
export function removePacketRules(kind: string, attachment: NetworkAttachment): void {
  if (hasNft() && removeNftTable(kind, attachment)) return;
  removeFromIptables(kind, isSameAs(attachment));
}

/** Takes away what belongs to attachments of a network that are no more. */
export function keepPacketRules(kind: string, network: string, valid: readonly Attachment[]): void {
  const isOld = (attachment: NetworkAttachment) => isGone(attachment, network, valid);
  if (hasNft()) for (const attachment of listNftTables(kind).filter(isOld)) removeNftTable(kind, attachment);
  removeFromIptables(kind, isOld);
}

function removeFromIptables(kind: string, isOld: (attachment: NetworkAttachment) => boolean): void {
  for (const version of IP_VERSIONS) if (hasIptables(version)) changeIptables(version, 'nat', kind, isOld);
}
