/** Routes of all tables. */
import { Packer, Unpacker } from '../bytes.ts';
import {
  type Attributes,
  attribute,
  nestedAttribute,
  parseAttributes,
  u32Attribute,
  u32Of,
} from './attributes.ts';
import { AF_INET, AF_INET6, type Family, formatIp, type Prefix, parseIp } from './ip.ts';
import { gatewayOf, packGateway, packHops, parseHops, type RouteHop, RTNH_F_ONLINK } from './route-hops.ts';
import { metricAttributes, parseMetrics, type RouteMetric } from './route-metrics.ts';
import { creation, type Netlink } from './socket.ts';

const RTM_NEWROUTE = 24;
const RTM_DELROUTE = 25;
const RTM_GETROUTE = 26;
const HEADER = 12;
const RTA = {
  destination: 1,
  link: 4,
  gateway: 5,
  priority: 6,
  source: 7,
  metrics: 8,
  multipath: 9,
  table: 15,
} as const;
const RTM_F_CLONED = 0x200;
const RTPROT_STATIC = 4;
const RT_TABLE_MAIN = 254;
const RT_TABLE_UNSPEC = 0;
const RT_SCOPE_LINK = 253;

/** By number; what a route does with a packet. */
const routeTypes = [
  'unspec',
  'unicast',
  'local',
  'broadcast',
  'anycast',
  'multicast',
  'blackhole',
  'unreachable',
  'prohibit',
  'throw',
] as const;

export type RouteType = (typeof routeTypes)[number];

export interface Route {
  readonly family: Family;
  /** Undefined for the default route. */
  readonly destination: Prefix | undefined;
  readonly gateway?: string;
  /** The outgoing interface's index. */
  readonly link?: number;
  /** The address that outgoing packets carry. */
  readonly source?: string;
  readonly priority?: number;
  readonly mtu?: number;
  /** The largest segment that TCP offers. */
  readonly advmss?: number;
  readonly table: number;
  /** Who made it: 2 the kernel, 3 boot, 4 an administrator. */
  readonly protocol: number;
  /** 0 universe, 253 link, 254 host. */
  readonly scope: number;
  readonly type: RouteType;
  /** The gateway is taken to be on the link, whatever the addresses say. */
  readonly onLink: boolean;
  readonly tos?: number;
  /** Metrics beside the mtu and the advmss. */
  readonly metrics?: readonly RouteMetric[];
  /** Where there are several ways, in the place of `link`, `gateway` and `onLink`. */
  readonly hops?: readonly RouteHop[];
}

export function listRoutes(netlink: Netlink): Route[] {
  return [AF_INET, AF_INET6]
    .flatMap((family) =>
      netlink.dump('list routes', RTM_GETROUTE, new Packer(HEADER).u8(family).zeros(11).finish()),
    )
    .filter(({ body }) => (new Unpacker(body, 8).u32() & RTM_F_CLONED) === 0)
    .map(({ body }) => parseRoute(body));
}

export type NewRoute = Pick<Route, 'family' | 'destination'> & Partial<Omit<Route, 'family' | 'destination'>>;

/** EEXIST where there is the same. */
export function addRoute(netlink: Netlink, route: NewRoute): void {
  netlink.change(`add route ${describe(route)}`, RTM_NEWROUTE, creation.exclusive, ...pack(route));
}

export function deleteRoute(netlink: Netlink, route: NewRoute): void {
  netlink.change(`delete route ${describe(route)}`, RTM_DELROUTE, 0, ...pack(route));
}

function describe({ destination, gateway }: NewRoute): string {
  const to = destination === undefined ? 'default' : `${destination.address}/${destination.length}`;
  return gateway === undefined ? to : `${to} via ${gateway}`;
}

/** struct rtmsg: family, prefix lengths, tos, table, protocol, scope, type, flags. */
function pack(route: NewRoute): Uint8Array[] {
  const { destination, table = RT_TABLE_MAIN } = route;
  const scope = route.scope ?? (route.family === AF_INET && route.gateway === undefined ? RT_SCOPE_LINK : 0);
  const header = new Packer(HEADER)
    .u8(route.family)
    .u8(destination?.length ?? 0)
    .u8(0)
    .u8(route.tos ?? 0)
    .u8(table < 256 ? table : RT_TABLE_UNSPEC)
    .u8(route.protocol ?? RTPROT_STATIC)
    .u8(scope)
    .u8(routeTypes.indexOf(route.type ?? 'unicast'))
    .u32(route.onLink === true ? RTNH_F_ONLINK : 0);
  const optional = [
    destination && attribute(RTA.destination, parseIp(destination.address)),
    route.gateway && packGateway(route.family, route.gateway),
    route.source && attribute(RTA.source, parseIp(route.source)),
    route.link && u32Attribute(RTA.link, route.link),
    route.priority && u32Attribute(RTA.priority, route.priority),
    route.hops && attribute(RTA.multipath, packHops(route.family, route.hops)),
    packMetrics(route),
  ].filter((part) => typeof part === 'object');
  return [header.finish(), u32Attribute(RTA.table, table), ...optional];
}

function packMetrics(route: NewRoute): Uint8Array | undefined {
  const parts = metricAttributes(route);
  return parts.length === 0 ? undefined : nestedAttribute(RTA.metrics, ...parts);
}

function parseRoute(body: Uint8Array): Route {
  const fields = new Unpacker(body);
  const family = fields.u8() === AF_INET ? AF_INET : AF_INET6;
  const length = fields.u8();
  fields.skip(1);
  const tos = fields.u8();
  const table = fields.u8();
  const protocol = fields.u8();
  const scope = fields.u8();
  const type = routeTypes[fields.u8()] ?? 'unspec';
  const onLink = (fields.u32() & RTNH_F_ONLINK) !== 0;
  const attributes = parseAttributes(body.subarray(HEADER));
  const destination = attributes.get(RTA.destination);
  return {
    family,
    destination: destination && { address: formatIp(destination), length },
    ...optionalFields(attributes),
    ...(tos !== 0 && { tos }),
    table: u32Of(attributes, RTA.table) ?? table,
    protocol,
    scope,
    type,
    onLink,
  };
}

function optionalFields(
  attributes: Attributes,
): Pick<Route, 'gateway' | 'link' | 'source' | 'priority' | 'mtu' | 'advmss' | 'metrics' | 'hops'> {
  const gateway = gatewayOf(attributes);
  const source = attributes.get(RTA.source);
  const link = u32Of(attributes, RTA.link);
  const priority = u32Of(attributes, RTA.priority);
  const metrics = attributes.get(RTA.metrics);
  const hops = attributes.get(RTA.multipath);
  return {
    ...(gateway && { gateway }),
    ...(source && { source: formatIp(source) }),
    ...(link !== undefined && { link }),
    ...(priority !== undefined && { priority }),
    ...(metrics && parseMetrics(metrics)),
    ...(hops && { hops: parseHops(hops) }),
  };
}
