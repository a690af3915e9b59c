/** `firewall`: packets to and from containers pass, whatever the host refuses else; and containers of different bridges may be parted. */

import { formatIp } from '../../src/native/netlink/ip.ts';
import { findLink } from '../../src/native/netlink/links.ts';
import { Netlink } from '../../src/native/netlink/socket.ts';
import type { Attachment } from '../../src/net/cni/configuration.ts';
import { CNI_ERROR, CniError } from '../../src/net/cni/errors.ts';
import { attachmentOf, isGone, isSameAs, type NetworkAttachment } from '../attachment.ts';
import { badConfiguration } from '../failure.ts';
import type { Cidr } from '../ip.ts';
import {
  changeIptables,
  hasIptables,
  IP_VERSIONS,
  type IptablesRules,
  type IpVersion,
  listIptables,
  ownerMatch,
  ownerOfRule,
} from '../iptables.ts';
import { text, word } from '../options.ts';
import type { Plugin, PluginRequest } from '../request.ts';
import { containerAddresses, requirePrevious } from './chained.ts';

const KIND = 'cni-firewall';
const BACKENDS = { iptables: true, firewalld: true } as const;
const POLICIES = { open: true, 'same-bridge': true } as const;

/** The names that administrators know from other CNI plugins. */
const CHAINS = { all: 'CNI-FORWARD', from: 'CNI-ISOLATION-STAGE-1', to: 'CNI-ISOLATION-STAGE-2' } as const;
const STANDARD_ADMIN_CHAIN = 'CNI-ADMIN';

export const firewall: Plugin = {
  about: "CNI firewall plugin: lets containers' packets through the host's iptables",

  add(request) {
    const result = requirePrevious(request);
    const options = firewallOptions(request);
    const addresses = containerAddresses(result);
    const attachment = attachmentOf(request);
    for (const version of IP_VERSIONS) {
      const own = addresses.filter((address) => versionOf(address) === version);
      if (own.length === 0) continue;
      const rules = rulesFor(options, bridgeOf(request, options), own, ownerMatch(KIND, attachment));
      changeIptables(version, 'filter', KIND, isSameAs(attachment), rules);
    }
    return result;
  },

  check(request) {
    firewallOptions(request);
    for (const address of containerAddresses(requirePrevious(request))) checkAddress(request, address);
  },

  // Nothing of the network's other attachments: the shared chains stay.
  del: (request) => removeRules(isSameAs(attachmentOf(request))),

  status() {
    if (hasIptables('v4')) return;
    throw new CniError(CNI_ERROR.unavailable, 'this host has no iptables-restore: install iptables');
  },

  gc({ config: { name, validAttachments } }) {
    if (validAttachments !== undefined) keepRules(name, validAttachments);
  },
};

interface FirewallOptions {
  /** Whose rules come before those of containers. */
  readonly adminChain: string;
  readonly policy: keyof typeof POLICIES;
}

function firewallOptions({ config: { fields } }: PluginRequest): FirewallOptions {
  const backend = word<keyof typeof BACKENDS>(fields, 'backend', BACKENDS, 'iptables');
  if (backend === 'firewalld') {
    const message = "backend 'firewalld' is not supported: use iptables, whose rules firewalld leaves alone";
    throw new CniError(CNI_ERROR.unsupportedField, message);
  }
  const adminChain = text(fields, 'iptablesAdminChainName') ?? STANDARD_ADMIN_CHAIN;
  if (!/^[A-Za-z0-9_.:-]{1,28}$/.test(adminChain))
    throw badConfiguration(`iptablesAdminChainName '${adminChain}' is no name of a chain`);
  return { adminChain, policy: word(fields, 'ingressPolicy', POLICIES, 'open') };
}

function versionOf({ ip }: Cidr): IpVersion {
  return ip.length === 4 ? 'v4' : 'v6';
}

function jump(from: string, to: string, comment: string): string {
  return `-A ${from} -m comment --comment "${comment}" -j ${to}`;
}

function rulesFor(
  { adminChain, policy }: FirewallOptions,
  bridge: string | undefined,
  addresses: readonly Cidr[],
  owner: string,
): IptablesRules {
  const { all, from, to } = CHAINS;
  const passing = addresses.flatMap((address) => {
    const host = formatIp(address.ip);
    return [
      `-A ${all} -d ${host} -m conntrack --ctstate RELATED,ESTABLISHED ${owner} -j ACCEPT`,
      `-A ${all} -s ${host} ${owner} -j ACCEPT`,
    ];
  });
  const parting =
    bridge === undefined
      ? []
      : [
          `-A ${from} -i ${bridge} ! -o ${bridge} ${owner} -j ${to}`,
          `-A ${to} -o ${bridge} ${owner} -j DROP`,
        ];
  const isParting = policy === 'same-bridge';
  return {
    chains: [all, adminChain, ...(isParting ? [from, to] : [])],
    first: [
      jump('FORWARD', all, 'CNI firewall plugin rules'),
      jump(all, adminChain, 'CNI firewall plugin admin overrides'),
      ...(isParting ? [jump('FORWARD', from, 'CNI firewall plugin rules (ingressPolicy: same-bridge)')] : []),
    ],
    rules: [...passing, ...parting],
  };
}

/** The one that the container is joined to; undefined where nothing is to be parted. */
function bridgeOf(request: PluginRequest, { policy }: FirewallOptions): string | undefined {
  if (policy === 'open') return undefined;
  using netlink = new Netlink();
  const bridge = requirePrevious(request)
    .interfaces.filter(({ sandbox }) => sandbox === undefined)
    .map(({ name }) => findLink(netlink, name))
    .find((link) => link?.kind === 'bridge');
  if (bridge !== undefined) return bridge.name;
  throw badConfiguration("ingressPolicy 'same-bridge' needs a network of the type bridge");
}

function checkAddress(request: PluginRequest, address: Cidr): void {
  const isOwn = isSameAs(attachmentOf(request));
  const host = `${formatIp(address.ip)}/${8 * address.ip.length}`;
  const rules = listIptables(versionOf(address), 'filter').filter((line) => {
    const owner = ownerOfRule(KIND, line);
    return owner !== undefined && isOwn(owner);
  });
  for (const part of [` -s ${host} `, ` -d ${host} `])
    if (!rules.some((rule) => rule.includes(part)))
      throw new CniError(
        CNI_ERROR.internal,
        `no rule lets packets of ${host} through:${part.trimEnd()} is missing`,
      );
}

function removeRules(isOld: (attachment: NetworkAttachment) => boolean): void {
  for (const version of IP_VERSIONS) if (hasIptables(version)) changeIptables(version, 'filter', KIND, isOld);
}

function keepRules(network: string, valid: readonly Attachment[]): void {
  removeRules((attachment) => isGone(attachment, network, valid));
}
