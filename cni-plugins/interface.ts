/** An interface of the container: found, given its addresses and routes, and taken away. */
import { sleep } from '../src/native/clock.ts';
import { hasCode, unless } from '../src/native/errors.ts';
import { addAddress, listAddresses } from '../src/native/netlink/addresses.ts';
import { AF_INET, AF_INET6, formatIp } from '../src/native/netlink/ip.ts';
import type { LinkChange } from '../src/native/netlink/links.ts';
import {
  changeLink,
  createLink,
  deleteLink,
  findLink,
  type Link,
  type NewLink,
} from '../src/native/netlink/links.ts';
import { addRoute } from '../src/native/netlink/routes.ts';
import type { Netlink } from '../src/native/netlink/socket.ts';
import { CNI_ERROR, CniError } from '../src/net/cni/errors.ts';
import { type CniResult, isV6, type ResultInterface, type ResultRoute } from '../src/net/cni/result.ts';
import { networkOf, parseCidr } from './ip.ts';
import type { ContainerNamespace } from './namespace.ts';
import { announceAddresses, enableV6 } from './sysctl.ts';

const SETTLE_SECONDS = 10;
const POLL_MILLISECONDS = 20;

export function requireLink(netlink: Netlink, name: string, where: string): Link {
  const link = findLink(netlink, name);
  if (link === undefined) throw new CniError(CNI_ERROR.internal, `${where} has no interface '${name}'`);
  return link;
}

/** Makes an interface; a kernel that has none of the kind is told of by what it lacks. */
export function makeLink(netlink: Netlink, link: NewLink, change: LinkChange = {}): void {
  try {
    createLink(netlink, link, change);
  } catch (cause) {
    if (!hasCode(cause, 'EOPNOTSUPP')) throw cause;
    const message = `this kernel has no interfaces of type ${link.kind}`;
    const details = `it needs the module ${link.kind === 'vlan' ? '8021q' : link.kind}`;
    throw new CniError(CNI_ERROR.unsupportedByHost, message, details, { cause });
  }
}

export function describeLink(link: Link, container: ContainerNamespace): ResultInterface {
  return { name: link.name, mac: link.mac ?? '', mtu: link.mtu, sandbox: container.path };
}

export interface Arrangement {
  /** Whether IPv6 addresses wait until nobody else is known to have them. */
  readonly detectDuplicates?: boolean;
  /** The routes between container and host are another's business. */
  readonly prefixRoute?: boolean;
  /** With the addresses there, and the interface up. */
  readonly beforeRoutes?: () => void;
}

/**
 * Gives an interface the addresses of the result that are meant for it, brings it up, and adds the routes. The IPv4 addresses come
 * first: it is when an interface comes up that the kernel tells of them. Those of IPv6 come after, as routes need an interface that is up.
 */
export function arrangeInterface(
  container: ContainerNamespace,
  link: Link,
  result: CniResult,
  { beforeRoutes, ...flags }: Arrangement = {},
): void {
  const { netlink } = container;
  const index = result.interfaces.findIndex(
    ({ name, sandbox }) => name === link.name && sandbox !== undefined,
  );
  const own = result.ips.filter((ip) => ip.interface === undefined || ip.interface === index);
  const add = ({ address }: { readonly address: string }) => {
    const { ip, length } = parseCidr(address);
    addAddress(netlink, { link: link.index, address: formatIp(ip), length, ...flags });
  };
  const hasV6 = own.some(({ address }) => isV6(address));
  container.inside(() => {
    announceAddresses(link.name);
    if (hasV6) enableV6(link.name);
  });
  own.filter(({ address }) => !isV6(address)).forEach(add);
  changeLink(netlink, link.index, { up: true });
  own.filter(({ address }) => isV6(address)).forEach(add);
  if (hasV6 && flags.detectDuplicates === true) settle(netlink, link);
  beforeRoutes?.();
  for (const route of result.routes) addResultRoute(netlink, link, route, gatewayFor(route, result));
}

/** The route's own, or that of the addresses of its family. */
export function gatewayFor(route: ResultRoute, { ips }: CniResult): string | undefined {
  return (
    route.gw ??
    ips.find(({ address, gateway }) => gateway !== undefined && isV6(address) === isV6(route.dst))?.gateway
  );
}

function addResultRoute(netlink: Netlink, link: Link, route: ResultRoute, gateway: string | undefined): void {
  const { ip, length } = parseCidr(route.dst);
  const { mtu, advmss, priority, table, scope } = route;
  // There may be the same, by another plugin or by the address itself.
  unless(['EEXIST'], () =>
    addRoute(netlink, {
      family: ip.length === 4 ? AF_INET : AF_INET6,
      destination: length === 0 ? undefined : { address: formatIp(networkOf({ ip, length })), length },
      link: link.index,
      ...(gateway === undefined ? {} : { gateway }),
      ...(mtu === undefined ? {} : { mtu }),
      ...(advmss === undefined ? {} : { advmss }),
      ...(priority === undefined ? {} : { priority }),
      ...(table === undefined ? {} : { table }),
      ...(scope === undefined ? {} : { scope }),
    }),
  );
}

/** Waits until the addresses are known as nobody else's. */
function settle(netlink: Netlink, link: Link): void {
  for (let waited = 0; ; waited += POLL_MILLISECONDS) {
    const own = listAddresses(netlink).filter(
      (address) => address.link === link.index && address.scope === 0,
    );
    const failed = own.find(({ detection }) => detection === 'failed');
    if (failed !== undefined)
      throw new CniError(CNI_ERROR.internal, `somebody else has the address ${failed.address}`);
    const running = own.find(({ detection }) => detection === 'running');
    if (running === undefined) return;
    if (waited >= SETTLE_SECONDS * 1000)
      throw new CniError(
        CNI_ERROR.internal,
        `address ${running.address} is tentative after ${SETTLE_SECONDS} s`,
      );
    sleep(POLL_MILLISECONDS);
  }
}

/** Also where there is none, as after a DEL before. Its peer, if it has one, goes with it. */
export function deleteInterface({ netlink }: ContainerNamespace, name: string): void {
  const link = findLink(netlink, name);
  if (link !== undefined) unless(['ENODEV'], () => deleteLink(netlink, link.index));
}
