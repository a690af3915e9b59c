/** Routes, rules and neighbours as the plan has them, by names of interfaces. Pure. */
import type { HopPlan, NeighbourPlan, RoutePlan, RouteType, RulePlan } from '../../abi/network-plan.ts';
import { AF_INET, AF_INET6, type Prefix } from '../../native/netlink/ip.ts';
import type { Neighbour } from '../../native/netlink/neighbours.ts';
import type { Route } from '../../native/netlink/routes.ts';
import type { Rule } from '../../native/netlink/rules.ts';

const RT_TABLE_DEFAULT = 253;
const RT_TABLE_MAIN = 254;
const RT_TABLE_LOCAL = 255;
const RTPROT_REDIRECT = 1;
const RTPROT_KERNEL = 2;
const RTPROT_RA = 9;
const RTAX_MTU = 2;
const RTAX_ADVMSS = 8;

/** Of the interfaces that the machine has, by index. */
export type LinkNames = ReadonlyMap<number, string>;

/** Without those that every kernel makes by itself, and those that routers tell of, as they will the machine. */
export function planRoutes(routes: readonly Route[], names: LinkNames): RoutePlan[] {
  return routes
    .filter((route) => !isOwnOfKernel(route) && ![RTPROT_RA, RTPROT_REDIRECT].includes(route.protocol))
    .flatMap((route) => planRoute(route, names) ?? []);
}

function isOwnOfKernel({ family, destination, table, protocol, type }: Route): boolean {
  if (protocol !== RTPROT_KERNEL) return false;
  const isLinkLocal = family === AF_INET6 && /^(fe80:|ff)/.test(destination?.address ?? '');
  return table === RT_TABLE_LOCAL || type !== 'unicast' || isLinkLocal;
}

/** Undefined for one that leads to an interface that the machine does not have. */
function planRoute(route: Route, names: LinkNames): RoutePlan | undefined {
  const { family, destination, table, priority, type, scope, protocol, tos, source } = route;
  const hops = planHops(route, names);
  if (hops === undefined || type === 'unspec') return undefined;
  return {
    destination: destination === undefined ? anywhere(family) : textOf(destination),
    ...{ table, metric: priority ?? 0, type, scope, protocol, tos: tos ?? 0, source: source ?? null },
    hops,
    metrics: [
      ...(route.mtu === undefined ? [] : [{ number: RTAX_MTU, value: route.mtu }]),
      ...(route.advmss === undefined ? [] : [{ number: RTAX_ADVMSS, value: route.advmss }]),
      ...(route.metrics ?? []),
    ],
  };
}

/** IPv6 has its refusals lead to the loopback. */
const REFUSALS: readonly (RouteType | 'unspec')[] = ['blackhole', 'unreachable', 'prohibit', 'throw'];

function planHops(route: Route, names: LinkNames): HopPlan[] | undefined {
  if (REFUSALS.includes(route.type)) return [];
  const { link, gateway, onLink } = route;
  const ways = route.hops ?? (link === undefined ? [] : [{ link, gateway, onLink, weight: 1 }]);
  const hops = ways.flatMap((way) => {
    const name = names.get(way.link);
    const { onLink, weight } = way;
    return name === undefined ? [] : [{ interface: name, gateway: way.gateway ?? null, onLink, weight }];
  });
  return hops.length === 0 ? undefined : hops;
}

function anywhere(family: Route['family']): string {
  return family === AF_INET ? '0.0.0.0/0' : '::/0';
}

function textOf({ address, length }: Prefix): string {
  return `${address}/${length}`;
}

/** Beside the rules that every namespace has. */
export function planRules(rules: readonly Rule[]): RulePlan[] {
  return rules.filter((rule) => !isStandard(rule)).map(planRule);
}

const STANDARD = [
  { priority: 0, table: RT_TABLE_LOCAL },
  { priority: 32766, table: RT_TABLE_MAIN },
  { priority: 32767, table: RT_TABLE_DEFAULT },
];

function isStandard({ priority, table, source, destination, action, inverted, ...more }: Rule): boolean {
  const isPlain = source === undefined && destination === undefined && action === 'table' && !inverted;
  const { family: _, tos, ...conditions } = more;
  const isUnconditional = tos === 0 && Object.values(conditions).every((value) => value === undefined);
  return (
    isPlain && isUnconditional && STANDARD.some((each) => each.priority === priority && each.table === table)
  );
}

function planRule(rule: Rule): RulePlan {
  const { priority, action, table, tos, inverted } = rule;
  return {
    family: rule.family === AF_INET ? 4 : 6,
    ...{ priority, action, table, tos, inverted },
    source: rule.source === undefined ? null : textOf(rule.source),
    destination: rule.destination === undefined ? null : textOf(rule.destination),
    target: rule.target ?? null,
    incoming: rule.incoming ?? null,
    outgoing: rule.outgoing ?? null,
    mark: rule.mark ?? null,
    markMask: rule.markMask ?? null,
    ipProtocol: rule.ipProtocol ?? null,
    sourcePorts: rule.sourcePorts ?? null,
    destinationPorts: rule.destinationPorts ?? null,
    uids: rule.uids ?? null,
    suppressLength: rule.suppressLength ?? null,
  };
}

export function planNeighbours(neighbours: readonly Neighbour[], names: LinkNames): NeighbourPlan[] {
  return neighbours.flatMap(({ link, address, mac }) => {
    const name = names.get(link);
    return name === undefined ? [] : [{ interface: name, address, mac: mac ?? null }];
  });
}
