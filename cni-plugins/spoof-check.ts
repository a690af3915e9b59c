/** `macspoofchk`: what a container sends into a bridge under another's hardware address goes no further. */
import type { Link } from '../src/native/netlink/links.ts';
import { attachmentOf, isGone } from './attachment.ts';
import { listNftTables, removeNftTable, setNftTable } from './nft.ts';
import { flag } from './options.ts';
import type { PluginRequest } from './request.ts';

const KIND = 'cni-macspoof';
const FAMILY = 'bridge';

function isWanted({ config }: PluginRequest): boolean {
  return flag(config.fields, 'macspoofchk');
}

/** Before the container's interface is up. */
export function forbidSpoofing(request: PluginRequest, port: Link, inner: Link): void {
  if (!isWanted(request)) return;
  const rule = `iifname "${port.name}" ether saddr != ${inner.mac} drop`;
  const chain = ['chain prerouting {', 'type filter hook prerouting priority filter;', rule, '}'];
  setNftTable(KIND, attachmentOf(request), chain, FAMILY);
}

export function forbidSpoofingNoMore(request: PluginRequest): void {
  if (isWanted(request)) removeNftTable(KIND, attachmentOf(request), FAMILY);
}

/** Only of the attachments that are still there, where the runtime says which. */
export function forbidSpoofingOnly(request: PluginRequest): void {
  const { validAttachments, name } = request.config;
  if (validAttachments === undefined || !isWanted(request)) return;
  for (const found of listNftTables(KIND, FAMILY))
    if (isGone(found, name, validAttachments)) removeNftTable(KIND, found, FAMILY);
}
