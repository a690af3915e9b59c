/** `tuning`: settings of the container's network, and of one interface in it. */
import { readTextIfPresent, writeControl } from '../../src/native/contents.ts';
import { hasCode, unless } from '../../src/native/errors.ts';
import { changeLink, findLink, type Link } from '../../src/native/netlink/links.ts';
import { addRoute, listRoutes } from '../../src/native/netlink/routes.ts';
import type { Netlink } from '../../src/native/netlink/socket.ts';
import { CNI_ERROR, CniError } from '../../src/net/cni/errors.ts';
import type { CniResult } from '../../src/net/cni/result.ts';
import { attachmentOf } from '../attachment.ts';
import { requireLink } from '../interface.ts';
import { ContainerNamespace } from '../namespace.ts';
import type { Plugin, PluginRequest } from '../request.ts';
import { requirePrevious } from './chained.ts';
import { forgetGoneLinks, forgetLink, keepLink, keptLink } from './kept-links.ts';
import { keptDirectory, type Setting, type Tuned, tuningOptions } from './tuning-options.ts';

const LONGEST_VALUE = 65536;

export const tuning: Plugin = {
  about: "CNI tuning plugin: changes settings of the container's network and of its interface",

  add(request) {
    const result = requirePrevious(request);
    const { link: wanted, settings } = tuningOptions(request);
    const directory = keptDirectory(request);
    using container = ContainerNamespace.open(request);
    container.inside(() => settings.forEach(apply));
    if (Object.keys(wanted).length === 0) return result;
    const link = requireLink(container.netlink, request.ifName, `'${container.path}'`);
    keepLink(directory, attachmentOf(request), sameOf(link, wanted));
    changeTo(container.netlink, link, wanted);
    return withChanges(result, request, wanted);
  },

  check(request) {
    requirePrevious(request);
    const { link: wanted, settings } = tuningOptions(request);
    using container = ContainerNamespace.open(request);
    container.inside(() => settings.forEach(checkSetting));
    const link = requireLink(container.netlink, request.ifName, `'${container.path}'`);
    for (const key of Object.keys(wanted) as (keyof Tuned)[]) {
      if (link[key] === wanted[key]) continue;
      throw differs(`interface ${link.name} has ${key} ${link[key]}, not ${wanted[key]}`);
    }
  },

  del(request) {
    const directory = keptDirectory(request);
    const kept = keptLink(directory, request);
    if (kept === undefined) return;
    using container = ContainerNamespace.openIfPresent(request);
    const link = container === undefined ? undefined : findLink(container.netlink, request.ifName);
    if (container !== undefined && link !== undefined) changeTo(container.netlink, link, kept);
    forgetLink(directory, request);
  },

  gc(request) {
    const { name, validAttachments } = request.config;
    if (validAttachments !== undefined) forgetGoneLinks(keptDirectory(request), name, validAttachments);
  },
};

function differs(message: string): CniError {
  return new CniError(CNI_ERROR.internal, message);
}

function apply({ key, path, value }: Setting): void {
  try {
    writeControl(`/proc/sys/${path}`, value);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CniError(CNI_ERROR.io, `sysctl '${key}' cannot be set to '${value}': ${reason}`, '', { cause });
  }
}

/** The kernel writes several values with tabs between them. */
function checkSetting({ key, path, value }: Setting): void {
  const words = (text: string) => text.trim().split(/\s+/).join(' ');
  const found = readTextIfPresent(`/proc/sys/${path}`, LONGEST_VALUE);
  if (found === undefined) throw differs(`there is no sysctl '${key}'`);
  if (words(found) !== words(value)) throw differs(`sysctl '${key}' is '${words(found)}', not '${value}'`);
}

/** What of the interface will change, as it is now. */
function sameOf(link: Link, wanted: Tuned): Tuned {
  const { mac, mtu, promiscuous, allMulticast, queueLength } = link;
  const now = { ...(mac === undefined ? {} : { mac }), mtu, promiscuous, allMulticast, queueLength };
  return Object.fromEntries(Object.entries(now).filter(([key]) => key in wanted));
}

/** Some interfaces must be down for a new hardware address; their routes, which that takes away, come back. */
function changeTo(netlink: Netlink, link: Link, wanted: Tuned): void {
  try {
    changeLink(netlink, link.index, wanted);
  } catch (error) {
    if (!hasCode(error, 'EBUSY')) throw error;
    const routes = listRoutes(netlink).filter(
      (route) => route.link === link.index && route.type === 'unicast',
    );
    changeLink(netlink, link.index, { up: false });
    changeLink(netlink, link.index, wanted);
    changeLink(netlink, link.index, { up: true });
    const near = routes.filter(({ gateway }) => gateway === undefined);
    const far = routes.filter(({ gateway }) => gateway !== undefined);
    for (const route of [...near, ...far]) unless(['EEXIST'], () => addRoute(netlink, route));
  }
}

/** What comes after has to know the address that the interface has now. */
function withChanges(result: CniResult, { ifName, netns }: PluginRequest, { mac, mtu }: Tuned): CniResult {
  const interfaces = result.interfaces.map((found) =>
    found.name === ifName && found.sandbox === netns
      ? {
          ...found,
          ...(mac === undefined ? {} : { mac }),
          ...(mtu === undefined || found.mtu === undefined ? {} : { mtu }),
        }
      : found,
  );
  return { ...result, interfaces };
}
