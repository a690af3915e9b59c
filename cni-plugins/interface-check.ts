/** CHECK: whether what an ADD has made is still as its result says. */
import { listAddresses } from '../src/native/netlink/addresses.ts';
import { formatIp } from '../src/native/netlink/ip.ts';
import type { Link } from '../src/native/netlink/links.ts';
import { listRoutes, type Route } from '../src/native/netlink/routes.ts';
import { CNI_ERROR, CniError } from '../src/net/cni/errors.ts';
import { type CniResult, EMPTY_RESULT, type ResultRoute } from '../src/net/cni/result.ts';
import { gatewayFor, requireLink } from './interface.ts';
import { formatCidr, networkOf, parseAddress, parseCidr } from './ip.ts';
import type { ContainerNamespace } from './namespace.ts';
import type { PluginRequest } from './request.ts';

/** The container's interface, with the result that it was found to agree with. */
export interface Checked {
  readonly link: Link;
  readonly result: CniResult;
}

export function checkInterface(container: ContainerNamespace, { config, ifName }: PluginRequest): Checked {
  const result = config.prevResult ?? EMPTY_RESULT;
  const recorded = result.interfaces.find(({ name, sandbox }) => name === ifName && sandbox !== undefined);
  if (recorded === undefined) throw differs(`prevResult has no interface ${ifName} of a container`);
  if (recorded.sandbox !== container.path)
    throw differs(`prevResult is of '${recorded.sandbox}', not of '${container.path}'`);
  const link = requireLink(container.netlink, ifName, `'${container.path}'`);
  if (recorded.mac !== undefined && recorded.mac.toLowerCase() !== (link.mac ?? ''))
    throw differs(`interface ${ifName} has the address ${link.mac}, not ${recorded.mac}`);
  checkAddresses(container, link, result);
  checkRoutes(container, result);
  return { link, result };
}

function checkAddresses({ netlink }: ContainerNamespace, link: Link, { interfaces, ips }: CniResult): void {
  const found = listAddresses(netlink)
    .filter((address) => address.link === link.index)
    .map(({ address, length }) => `${address}/${length}`);
  for (const ip of ips) {
    if (ip.interface !== undefined && interfaces[ip.interface]?.name !== link.name) continue;
    const wanted = formatCidr(parseCidr(ip.address));
    if (!found.includes(wanted)) throw differs(`interface ${link.name} lacks the address ${wanted}`);
  }
}

function checkRoutes({ netlink }: ContainerNamespace, result: CniResult): void {
  const found = listRoutes(netlink);
  for (const route of result.routes) {
    const gateway = gatewayFor(route, result);
    const wanted = gateway === undefined ? undefined : formatIp(parseAddress(gateway));
    if (!found.some((candidate) => isSame(candidate, route, wanted)))
      throw differs(`there is no route to ${route.dst}${wanted === undefined ? '' : ` by ${wanted}`}`);
  }
}

function isSame(found: Route, { dst, table }: ResultRoute, gateway: string | undefined): boolean {
  const cidr = parseCidr(dst);
  const address = formatIp(networkOf(cidr));
  const family = cidr.ip.length === 4 ? 2 : 10;
  const goesThere =
    cidr.length === 0
      ? found.destination === undefined
      : found.destination?.address === address && found.destination.length === cidr.length;
  const isInTable = table === undefined || found.table === table;
  return (
    found.family === family && goesThere && isInTable && (gateway === undefined || found.gateway === gateway)
  );
}

export function differs(message: string): CniError {
  return new CniError(CNI_ERROR.internal, message);
}
