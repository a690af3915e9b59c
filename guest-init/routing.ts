/** Routes, rules and neighbours of the plan, in the words of the kernel. */
import type { HopPlan, NeighbourPlan, RoutePlan, RulePlan } from '../src/abi/network-plan.ts';
import { hasCode, unless } from '../src/native/errors.ts';
import { AF_INET, AF_INET6, type Family, familyOf, parseIp } from '../src/native/netlink/ip.ts';
import { setNeighbour } from '../src/native/netlink/neighbours.ts';
import {
  addRoute,
  deleteRoute,
  listRoutes,
  type NewRoute,
  type Route,
} from '../src/native/netlink/routes.ts';
import { addRule } from '../src/native/netlink/rules.ts';
import type { Netlink } from '../src/native/netlink/socket.ts';
import { InitError } from './error.ts';
import { parsePrefix } from './interfaces.ts';

const RT_TABLE_MAIN = 254;
const RTPROT_KERNEL = 2;

/** By name. */
export type LinkIndexes = ReadonlyMap<string, number>;

/**
 * The kernel has made routes to the networks of the addresses: those that are not in the plan, as a plugin has moved them to another
 * table, go. Last, because gateways of others may have been found by them, as there.
 */
export function makeRoutes(netlink: Netlink, plans: readonly RoutePlan[], links: LinkIndexes): void {
  const wanted = directFirst(plans).map((plan) => newRoute(plan, links));
  const own = new Set(links.values());
  const made = listRoutes(netlink).filter((route) => isMade(route) && own.has(route.link ?? 0));
  const keys = new Set(wanted.map(keyOf));
  const present = new Set(made.map(keyOf));
  for (const route of wanted)
    if (!present.has(keyOf(route))) unless(['EEXIST'], () => addRouteAnyway(netlink, route));
  for (const route of made) if (!keys.has(keyOf(route))) deleteRoute(netlink, route);
}

/** What led to a gateway when its route was made may be there no more: the kernel asks only then. */
function addRouteAnyway(netlink: Netlink, route: NewRoute): void {
  try {
    addRoute(netlink, route);
  } catch (error) {
    if (!hasCode(error, 'ENETUNREACH', 'EHOSTUNREACH')) throw error;
    const hops = route.hops?.map((hop) => ({ ...hop, onLink: true }));
    addRoute(netlink, { ...route, onLink: true, ...(hops && { hops }) });
  }
}

/** To a network of an address; what every interface with IPv6 has is none of the plan's. */
function isMade({ table, protocol, family, destination }: Route): boolean {
  const isLinkLocal = family === AF_INET6 && /^(fe80:|ff)/.test(destination?.address ?? '');
  return table === RT_TABLE_MAIN && protocol === RTPROT_KERNEL && !isLinkLocal;
}

function keyOf({ family, destination, table, protocol, link, priority = 0, source = '' }: NewRoute): string {
  const to = destination === undefined ? 'default' : `${destination.address}/${destination.length}`;
  // Of IPv6 the kernel does not say which address a route came with.
  return [family, to, table, protocol, link, priority, family === AF_INET ? source : ''].join(' ');
}

/** Gateways are reached by the others. */
function directFirst(routes: readonly RoutePlan[]): readonly RoutePlan[] {
  const isDirect = ({ hops }: RoutePlan) => hops.every(({ gateway }) => gateway === null);
  return [...routes.filter(isDirect), ...routes.filter((route) => !isDirect(route))];
}

function newRoute(plan: RoutePlan, links: LinkIndexes): NewRoute {
  const { table, type, scope, protocol, metric, source, tos, metrics, hops } = plan;
  const prefix = parsePrefix(plan.destination);
  const family = familyOf(parseIp(prefix.address));
  return {
    ...{ family, table, type, scope, protocol, tos, metrics },
    destination: prefix.length === 0 ? undefined : prefix,
    ...(metric !== 0 && { priority: metric }),
    ...(source !== null && { source }),
    ...waysOf(hops, links),
  };
}

function waysOf(hops: readonly HopPlan[], links: LinkIndexes): Partial<NewRoute> {
  const ways = hops.map(({ gateway, onLink, weight, ...hop }) => ({
    link: indexOf(links, hop.interface),
    gateway: gateway ?? undefined,
    ...{ onLink, weight },
  }));
  const [first, ...more] = ways;
  if (first === undefined) return {};
  if (more.length > 0) return { hops: ways };
  const { link, gateway, onLink } = first;
  return { link, onLink, ...(gateway !== undefined && { gateway }) };
}

export function makeRule(netlink: Netlink, plan: RulePlan): void {
  const family: Family = plan.family === 4 ? AF_INET : AF_INET6;
  const { priority, action, table, tos, inverted } = plan;
  unless(['EEXIST'], () =>
    addRule(netlink, {
      ...{ family, priority, action, table, tos, inverted },
      source: plan.source === null ? undefined : parsePrefix(plan.source),
      destination: plan.destination === null ? undefined : parsePrefix(plan.destination),
      target: plan.target ?? undefined,
      incoming: plan.incoming ?? undefined,
      outgoing: plan.outgoing ?? undefined,
      mark: plan.mark ?? undefined,
      markMask: plan.markMask ?? undefined,
      ipProtocol: plan.ipProtocol ?? undefined,
      sourcePorts: plan.sourcePorts ?? undefined,
      destinationPorts: plan.destinationPorts ?? undefined,
      uids: plan.uids ?? undefined,
      suppressLength: plan.suppressLength ?? undefined,
    }),
  );
}

export function makeNeighbour(netlink: Netlink, plan: NeighbourPlan, links: LinkIndexes): void {
  const link = indexOf(links, plan.interface);
  setNeighbour(netlink, { link, address: plan.address, mac: plan.mac ?? undefined });
}

function indexOf(links: LinkIndexes, name: string): number {
  const index = links.get(name);
  if (index === undefined) throw new InitError('interfaces', `no interface ${name}`);
  return index;
}
