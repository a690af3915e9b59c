/** The network of the plan. */
import type { NetworkPlan, SysctlPlan } from '../src/abi/network-plan.ts';
import { SystemError } from '../src/native/errors.ts';
import { Netlink } from '../src/native/netlink/socket.ts';
import { writeSysctl } from '../src/native/sysctls.ts';
import { awaitCables, configureInterface, nameInterfaces } from './interfaces.ts';
import { makeNeighbour, makeRoutes, makeRule } from './routing.ts';

/** What the kernel here does not have is no reason to have no pod: said in the sentences that this gives. */
export function configureNetwork(plan: NetworkPlan): string[] {
  const { interfaces, routes, rules, neighbours, sysctls } = plan;
  if (interfaces.length + rules.length + sysctls.length === 0) return [];
  using netlink = new Netlink();
  const found = nameInterfaces(netlink, interfaces);
  const warnings = sysctls.flatMap((setting) => refusalOf(setting) ?? []);
  for (const each of found) configureInterface(netlink, each);
  const links = new Map(found.map((each) => [each.plan.name, each.link.index]));
  // After all links: a gateway may be behind another one.
  makeRoutes(netlink, routes, links);
  for (const rule of rules) makeRule(netlink, rule);
  for (const neighbour of neighbours) makeNeighbour(netlink, neighbour, links);
  awaitCables(netlink, found);
  return warnings;
}

function refusalOf({ name, value }: SysctlPlan): string | undefined {
  try {
    writeSysctl(name, value);
    return undefined;
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    return `net.${name.replaceAll('/', '.')} is not ${value}: ${error.message}`;
  }
}
