/** `portmap`: ports of the host lead to a container, for other hosts, for the host itself and for its localhost. */
import { File, lock, open_ } from '../../src/native/files.ts';
import { forgetUdpFlows } from '../../src/native/netlink/connections.ts';
import { AF_INET, AF_INET6, formatIp } from '../../src/native/netlink/ip.ts';
import { linkAt } from '../../src/native/netlink/links.ts';
import { outgoingLink } from '../../src/native/netlink/route-lookup.ts';
import { Netlink } from '../../src/native/netlink/socket.ts';
import { CNI_ERROR, CniError } from '../../src/net/cni/errors.ts';
import { attachmentOf, isSameAs, type NetworkAttachment } from '../attachment.ts';
import { hasIptables, IP_VERSIONS, listIptables, ownerOfRule } from '../iptables.ts';
import { showNftTables } from '../nft.ts';
import {
  type Backend,
  keepPacketRules,
  removePacketRules,
  setPacketRules,
  standardBackend,
} from '../packet-rules.ts';
import type { Plugin, PluginRequest } from '../request.ts';
import { setSysctl } from '../sysctl.ts';
import { containerAddresses, requirePrevious } from './chained.ts';
import { findConflict, formatTarget, type PublishedPort, publishedPorts } from './port-mappings.ts';
import { portRules } from './port-rules.ts';
import { portmapOptions } from './portmap-options.ts';

const KIND = 'cni-hostports';
const LOCK = '/run/cni-hostports.lock';
const OWNER_ONLY = 0o600;

export const portmap: Plugin = {
  about: 'CNI portmap plugin: publishes ports of containers on the host',

  add(request) {
    const result = requirePrevious(request);
    const options = portmapOptions(request);
    const ports = publishedPorts(request, containerAddresses(result));
    if (ports.length === 0) return result;
    const attachment = attachmentOf(request);
    using _turn = takeTurn();
    checkConflicts(options.backend, attachment, ports);
    // They all lead to one address of a kind.
    const first = ports.find(({ version }) => version === 'v4');
    if (options.snat && first !== undefined) openLocalhost(first);
    setPacketRules(KIND, attachment, options.backend, portRules(ports, options));
    forgetFlows(ports);
    return result;
  },

  check(request) {
    const { backend } = portmapOptions(request);
    const ports = publishedPorts(request, containerAddresses(requirePrevious(request)));
    const isOwn = isSameAs(attachmentOf(request));
    const rules = ports.length === 0 ? [] : rulesOf(backend, isOwn).split('\n');
    const missing = ports.find((port) => !rules.some((rule) => leadsTo(rule, port)));
    if (missing === undefined) return;
    const message = `no rule leads from the host's ${missing.protocol} port ${missing.hostPort} to ${formatTarget(missing)}`;
    throw new CniError(CNI_ERROR.internal, message);
  },

  del(request) {
    removePacketRules(KIND, attachmentOf(request));
    forgetFlows(formerPorts(request));
  },

  status() {
    standardBackend();
  },

  gc({ config: { name, validAttachments } }) {
    if (validAttachments !== undefined) keepPacketRules(KIND, name, validAttachments);
  },
};

/** An ADD that was refused for its ports has published none. */
function formerPorts(request: PluginRequest): readonly PublishedPort[] {
  const { prevResult } = request.config;
  try {
    return prevResult === undefined ? [] : publishedPorts(request, containerAddresses(prevResult));
  } catch {
    return [];
  }
}

/** The text of the rules that attachments have. */
function rulesOf(backend: Backend, isWanted: (attachment: NetworkAttachment) => boolean): string {
  if (backend === 'nftables') return showNftTables(KIND, isWanted);
  return IP_VERSIONS.filter(hasIptables)
    .flatMap((version) => listIptables(version, 'nat'))
    .filter((line) => {
      const owner = ownerOfRule(KIND, line);
      return owner !== undefined && isWanted(owner);
    })
    .join('\n');
}

/** Nobody else publishes ports between a look at what is taken and the rules that take more. */
function takeTurn(): File {
  const file = File.open(LOCK, open_.readWrite | open_.create, OWNER_ONLY);
  lock(file.fd, 'exclusive');
  return file;
}

/** Of two containers with one port, the later one would never be reached. */
function checkConflicts(
  backend: Backend,
  attachment: NetworkAttachment,
  ports: readonly PublishedPort[],
): void {
  const isOwn = isSameAs(attachment);
  const taken = findConflict(
    ports,
    rulesOf(backend, (other) => !isOwn(other)),
  );
  if (taken === undefined) return;
  const address = taken.hostIp === undefined ? '' : ` of ${taken.hostIp}`;
  const message = `the host's ${taken.protocol} port ${taken.hostPort}${address} leads to another container already`;
  throw new CniError(CNI_ERROR.internal, message);
}

function leadsTo(rule: string, port: PublishedPort): boolean {
  const target = formatTarget(port);
  return (
    rule.includes(`${port.protocol} `) &&
    rule.includes(`dport ${port.hostPort} `) &&
    [` to ${target}`, `--to-destination ${target}`].some((end) => `${rule} `.includes(`${end} `))
  );
}

/** Packets from 127.0.0.1 leave by the container's link only where that is told to let them. */
function openLocalhost({ container }: PublishedPort): void {
  using netlink = new Netlink();
  const index = outgoingLink(netlink, formatIp(container.ip));
  const link = index === undefined ? undefined : linkAt(netlink, index);
  if (link !== undefined && !link.loopback) setSysctl(`ipv4/conf/${link.name}/route_localnet`, '1');
}

/** Packets of UDP have no beginning: those of a sender that goes on would go where they did before, for ever. */
function forgetFlows(ports: readonly PublishedPort[]): void {
  for (const { protocol, version, hostPort } of ports)
    if (protocol === 'udp') forgetUdpFlows(version === 'v4' ? AF_INET : AF_INET6, hostPort);
}
