/** The interface that another one is made upon, and what is alike of `macvlan`, `ipvlan` and `vlan`. */
import { changeLink, findLink, type Link, linkAt, type NewLink } from '../src/native/netlink/links.ts';
import { listRoutes } from '../src/native/netlink/routes.ts';
import { Netlink } from '../src/native/netlink/socket.ts';
import { CNI_ERROR, CniError } from '../src/net/cni/errors.ts';
import type { CniResult } from '../src/net/cni/result.ts';
import { badConfiguration } from './failure.ts';
import { arrangeInterface, deleteInterface, describeLink, makeLink, requireLink } from './interface.ts';
import type { ContainerNamespace } from './namespace.ts';
import { flag, text } from './options.ts';
import type { PluginRequest } from './request.ts';

const MAIN_TABLE = 254;

/** Does something with the parent's namespace: the host's, or with `linkInContainer` the container's own. */
export function withParentNamespace<T>(
  { config }: PluginRequest,
  container: ContainerNamespace,
  action: (netlink: Netlink, where: string) => T,
): T {
  if (flag(config.fields, 'linkInContainer')) return action(container.netlink, `'${container.path}'`);
  using host = new Netlink();
  return action(host, 'the host');
}

/** `master`, or else the interface of the default route. */
export function findParent({ config }: PluginRequest, netlink: Netlink, where: string): Link {
  const name = text(config.fields, 'master');
  return name === undefined ? defaultParent(netlink, where) : requireLink(netlink, name, where);
}

function defaultParent(netlink: Netlink, where: string): Link {
  const route = listRoutes(netlink).find(
    ({ destination, table, link }) => destination === undefined && table === MAIN_TABLE && link !== undefined,
  );
  if (route === undefined)
    throw badConfiguration(`no master is given, and ${where} has no default route that would tell one`);
  return requireLinkAt(netlink, route.link ?? 0);
}

function requireLinkAt(netlink: Netlink, index: number): Link {
  const link = linkAt(netlink, index);
  if (link === undefined) throw new CniError(CNI_ERROR.internal, `interface ${index} has gone`);
  return link;
}

/** No larger than the parent's: what does not fit would be lost there. */
function checkMtu(mtu: number | undefined, parent: Link): void {
  if (mtu !== undefined && mtu > parent.mtu)
    throw badConfiguration(`mtu ${mtu} is larger than the ${parent.mtu} of ${parent.name}`);
}

export interface Upper {
  readonly link: (parent: Link) => NewLink;
  readonly mtu: number | undefined;
  readonly mac?: string | undefined;
}

/** Makes the container's interface upon its parent, with the addresses. */
export function connectUpon(
  container: ContainerNamespace,
  request: PluginRequest,
  { link, mtu, mac }: Upper,
  take: () => CniResult,
): CniResult {
  const { ifName } = request;
  if (findLink(container.netlink, ifName) !== undefined)
    throw new CniError(CNI_ERROR.internal, `'${container.path}' has an interface ${ifName} already`);
  withParentNamespace(request, container, (netlink, where) => {
    const parent = findParent(request, netlink, where);
    checkMtu(mtu, parent);
    const change = { ...(mtu === undefined ? {} : { mtu }), ...(mac === undefined ? {} : { mac }) };
    makeLink(netlink, link(parent), { ...change, namespaceFd: container.fd });
  });
  if (mac !== undefined) insistOnMac(container, ifName, mac);
  return arrangeOrDelete(container, ifName, take);
}

/** A macvlan of mode passthru begins with its parent's, whatever it is told; the parent has its own again when it goes. */
function insistOnMac({ netlink, path }: ContainerNamespace, ifName: string, mac: string): void {
  const link = requireLink(netlink, ifName, `'${path}'`);
  if (link.mac !== mac) changeLink(netlink, link.index, { mac });
}

/** Of an interface that was made just now: one that cannot be arranged goes again. */
export function arrangeOrDelete(
  container: ContainerNamespace,
  ifName: string,
  take: () => CniResult,
): CniResult {
  try {
    const link = requireLink(container.netlink, ifName, `'${container.path}'`);
    const given = take();
    const interfaces = [describeLink(link, container)];
    const result = { ...given, interfaces, ips: given.ips.map((ip) => ({ ...ip, interface: 0 })) };
    arrangeInterface(container, link, result);
    return result;
  } catch (error) {
    deleteInterface(container, ifName);
    throw error;
  }
}
