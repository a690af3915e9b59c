/** `sbr`: what an address of the interface sends leaves by that interface, whatever the container's other networks. */
import { unless } from '../../src/native/errors.ts';
import { listAddresses } from '../../src/native/netlink/addresses.ts';
import { AF_INET, AF_INET6, type Family, formatIp, type Prefix } from '../../src/native/netlink/ip.ts';
import { findLink } from '../../src/native/netlink/links.ts';
import {
  addRoute,
  deleteRoute,
  listRoutes,
  type NewRoute,
  type Route,
} from '../../src/native/netlink/routes.ts';
import { addSourceRule, deleteSourceRule, listRules } from '../../src/native/netlink/rules.ts';
import type { Netlink } from '../../src/native/netlink/socket.ts';
import { CNI_ERROR, CniError } from '../../src/net/cni/errors.ts';
import { type CniResult, isV6 } from '../../src/net/cni/result.ts';
import { badConfiguration } from '../failure.ts';
import { requireLink } from '../interface.ts';
import { parseAddress, parseCidr } from '../ip.ts';
import { ContainerNamespace } from '../namespace.ts';
import { number } from '../options.ts';
import type { Plugin, PluginRequest } from '../request.ts';
import { requirePrevious } from './chained.ts';

const RT_TABLE_MAIN = 254;
const FIRST_TABLE = 100;
const LARGEST_TABLE = 2 ** 32 - 1;
/** 253, 254 and 255 are the kernel's. */
const RESERVED = [253, 254, 255];

export const sbr: Plugin = {
  about: 'CNI sbr plugin: routes by source address',

  add(request) {
    const result = requirePrevious(request);
    const asked = tableOption(request);
    using container = ContainerNamespace.open(request);
    const { netlink } = container;
    const link = requireLink(netlink, request.ifName, `'${container.path}'`);
    const addresses = ownAddresses(result, request);
    const own = listRoutes(netlink).filter((route) => isMovable(route, link.index));
    for (const address of addresses) {
      const table = asked ?? freeTable(netlink);
      addSourceRule(netlink, address.address, table);
      for (const route of routesFor(own, address))
        unless(['EEXIST'], () => addRoute(netlink, { ...route, link: link.index, table }));
    }
    if (addresses.length > 0) for (const route of own) deleteRoute(netlink, route);
    return result;
  },

  check(request) {
    const result = requirePrevious(request);
    using container = ContainerNamespace.open(request);
    const rules = listRules(container.netlink);
    for (const { address } of ownAddresses(result, request)) {
      if (rules.some(({ source }) => source?.address === address.address && source.length === address.length))
        continue;
      throw new CniError(
        CNI_ERROR.internal,
        `no rule leads packets from ${address.address} to a table of their own`,
      );
    }
  },

  del(request) {
    using container = ContainerNamespace.openIfPresent(request);
    if (container !== undefined) removeRules(container.netlink, request.ifName);
  },
};

/** Undefined for a table of its own for each address. */
function tableOption({ config }: PluginRequest): number | undefined {
  const table = number(config.fields, 'table', 1, LARGEST_TABLE);
  if (table === undefined || !RESERVED.includes(table)) return table;
  throw badConfiguration(`table ${table} is one of the kernel's own`);
}

interface OwnAddress {
  readonly family: Family;
  readonly address: Prefix;
  readonly gateway: string | undefined;
}

/** Those that the result gives to the interface. */
function ownAddresses({ ips, interfaces }: CniResult, { ifName }: PluginRequest): OwnAddress[] {
  return ips
    .filter(({ interface: index }) => index === undefined || interfaces[index]?.name === ifName)
    .map(({ address, gateway }) => ({
      family: isV6(address) ? AF_INET6 : AF_INET,
      address: { address: formatIp(parseCidr(address).ip), length: isV6(address) ? 128 : 32 },
      gateway: gateway === undefined ? undefined : formatIp(parseAddress(gateway)),
    }));
}

/** What every interface with IPv6 has stays where it is: to neighbours, and to groups. */
function isMovable({ family, destination, link, table }: Route, index: number): boolean {
  const isLinkLocal = family === AF_INET6 && /^(fe[89ab]|ff)/.test(destination?.address ?? '');
  return link === index && table === RT_TABLE_MAIN && !isLinkLocal;
}

/** The interface's routes that packets from the address may take; those to neighbours first, as gateways are found by them. */
function routesFor(own: readonly Route[], { address, family, gateway }: OwnAddress): NewRoute[] {
  const moved = own.filter(
    (route) => route.family === family && (route.source === undefined || route.source === address.address),
  );
  const toNeighbours = moved.filter((route) => route.gateway === undefined);
  const beyond = moved.filter((route) => route.gateway !== undefined);
  const byGateway = gateway === undefined ? [] : [{ family, destination: undefined, gateway }];
  return [...toNeighbours, ...byGateway, ...beyond];
}

/** The first that neither a route nor a rule knows. */
function freeTable(netlink: Netlink): number {
  const used = new Set([...listRoutes(netlink), ...listRules(netlink)].map(({ table }) => table));
  let table = FIRST_TABLE;
  while (used.has(table) || RESERVED.includes(table)) table++;
  return table;
}

/** The tables themselves go with the interface. */
function removeRules(netlink: Netlink, ifName: string): void {
  const link = findLink(netlink, ifName);
  const own = listAddresses(netlink).filter((address) => address.link === link?.index);
  for (const { source, table } of listRules(netlink)) {
    const isOwn = source !== undefined && own.some(({ address }) => address === source.address);
    if (isOwn) unless(['ENOENT'], () => deleteSourceRule(netlink, source, table));
  }
}
