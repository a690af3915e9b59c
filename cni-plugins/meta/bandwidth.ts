/** `bandwidth`: how fast a container may receive and send. Its veth's end on the host is where both are limited. */
import { unless } from '../../src/native/errors.ts';
import {
  changeLink,
  deleteLink,
  findLink,
  type Link,
  linkAt,
  listLinks,
} from '../../src/native/netlink/links.ts';
import { deleteQueue, listQueues, setTokenBucket } from '../../src/native/netlink/queues.ts';
import { Netlink } from '../../src/native/netlink/socket.ts';
import { redirectIngress } from '../../src/native/netlink/traffic.ts';
import { CNI_ERROR, CniError } from '../../src/net/cni/errors.ts';
import { attachmentOf, formatOwner, isGone, parseOwner } from '../attachment.ts';
import { makeLink, requireLink } from '../interface.ts';
import { ContainerNamespace } from '../namespace.ts';
import type { Plugin, PluginRequest } from '../request.ts';
import { bandwidthLimits, type Limit } from './bandwidth-limits.ts';
import { requirePrevious } from './chained.ts';

const KIND = 'cni-bandwidth';
const LATENCY_SECONDS = 0.025;

export const bandwidth: Plugin = {
  about: 'CNI bandwidth plugin: limits how fast containers receive and send',

  add(request) {
    const result = requirePrevious(request);
    const { ingress, egress } = bandwidthLimits(request);
    if (ingress === undefined && egress === undefined) return result;
    using netlink = new Netlink();
    const host = hostEnd(netlink, request);
    if (ingress !== undefined) limit(netlink, host.index, ingress);
    if (egress === undefined) return result;
    const relay = makeRelay(netlink, request, host, egress);
    return { ...result, interfaces: [...result.interfaces, { name: relay.name, mac: relay.mac ?? '' }] };
  },

  check(request) {
    requirePrevious(request);
    const { ingress, egress } = bandwidthLimits(request);
    using netlink = new Netlink();
    const host = hostEnd(netlink, request);
    if (ingress !== undefined) checkLimit(netlink, host, ingress);
    if (egress !== undefined)
      checkLimit(netlink, requireLink(netlink, relayName(request), 'the host'), egress);
  },

  del(request) {
    using netlink = new Netlink();
    removeLink(netlink, findLink(netlink, relayName(request)));
  },

  gc({ config: { name, validAttachments } }) {
    if (validAttachments === undefined) return;
    using netlink = new Netlink();
    for (const link of listLinks(netlink)) {
      const owner = parseOwner(KIND, link.alias ?? '');
      if (owner !== undefined && isGone(owner, name, validAttachments)) removeLink(netlink, link);
    }
  },
};

function removeLink(netlink: Netlink, link: Link | undefined): void {
  if (link !== undefined) unless(['ENODEV'], () => deleteLink(netlink, link.index));
}

/** What goes into the container leaves the host by this one, and the other way round. */
function hostEnd(netlink: Netlink, request: PluginRequest): Link {
  using container = ContainerNamespace.open(request);
  const inner = requireLink(container.netlink, request.ifName, `'${container.path}'`);
  const host = inner.peer === undefined ? undefined : linkAt(netlink, inner.peer);
  if (inner.kind === 'veth' && host?.kind === 'veth') return host;
  const message = `interface ${request.ifName} is of type ${inner.kind ?? 'hardware'}: bandwidth needs a veth with an end on the host`;
  throw new CniError(CNI_ERROR.unsupportedField, message);
}

function limit(netlink: Netlink, link: number, { rate, burst }: Limit): void {
  setTokenBucket(netlink, link, { rate, burst, latencySeconds: LATENCY_SECONDS });
}

/** What an interface receives has no queue: it is led through another one, which sends it on where it came. */
function makeRelay(netlink: Netlink, request: PluginRequest, host: Link, egress: Limit): Link {
  const name = relayName(request);
  // One that a broken ADD has left.
  removeLink(netlink, findLink(netlink, name));
  unless(['ENOENT', 'EINVAL'], () => deleteQueue(netlink, host.index, 'ingress'));
  makeLink(netlink, { kind: 'ifb', name }, { mtu: host.mtu });
  const relay = requireLink(netlink, name, 'the host');
  try {
    const alias = formatOwner(KIND, attachmentOf(request));
    changeLink(netlink, relay.index, { alias, up: true });
    limit(netlink, relay.index, egress);
    redirectIngress(netlink, host.index, relay.index);
  } catch (error) {
    removeLink(netlink, relay);
    throw error;
  }
  return relay;
}

function checkLimit(netlink: Netlink, link: Link, { rate }: Limit): void {
  const found = listQueues(netlink, link.index).find(({ where }) => where === 'root');
  if (found?.rate === rate) return;
  const has = found?.rate === undefined ? 'no limit' : `a limit of ${8 * found.rate} bits a second`;
  throw new CniError(CNI_ERROR.internal, `interface ${link.name} has ${has}, not ${8 * rate}`);
}

/** By the container and its interface alone: an interface's name has 15 bytes. */
function relayName({ containerId, ifName }: PluginRequest): string {
  return `bwp${fingerprint(`${containerId}/${ifName}`)}`;
}

const HALF_MASK = 0xffffff;

/** Twelve digits that tell containers from each other: two runs of FNV-1a, of which half of the bits are used. */
function fingerprint(text: string): string {
  return [0x811c9dc5, 0x01000193]
    .map((basis) => {
      let hash = basis;
      for (const char of text) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193);
      return ((hash ^ (hash >>> 24)) & HALF_MASK).toString(16).padStart(6, '0');
    })
    .join('');
}
