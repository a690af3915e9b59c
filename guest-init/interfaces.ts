import {
  type AddressPlan,
  type InterfacePlan,
  STAND_IN_ADDRESS,
  standInAddress,
} from '../src/abi/network-plan.ts';
import { monotonicMilliseconds, sleep } from '../src/native/clock.ts';
import { unless } from '../src/native/errors.ts';
import {
  addAddress,
  deleteAddress,
  listAddresses,
  type NewAddress,
} from '../src/native/netlink/addresses.ts';
import type { Prefix } from '../src/native/netlink/ip.ts';
import { changeLink, type Link, linkAt, listLinks } from '../src/native/netlink/links.ts';
import { Netlink } from '../src/native/netlink/socket.ts';
import { InitError } from './error.ts';

/** The kernel gives `lo` this index in every network namespace. */
const LOOPBACK = 1;
const PATIENCE_MS = 10_000;
const CABLE_MS = 1000;
const PAUSE_MS = 2;

export function bringUpLoopback(): void {
  using netlink = new Netlink();
  changeLink(netlink, LOOPBACK, { up: true });
}

export interface FoundLink {
  readonly plan: InterfacePlan;
  readonly link: Pick<Link, 'index' | 'name' | 'mac'>;
}

/**
 * What is sent before the driver has told that there is a cable is lost, and whoever sent it waits for a second before the next try.
 * An interface without one is not waited for any longer than that.
 */
export function awaitCables(netlink: Netlink, links: readonly FoundLink[]): void {
  const deadline = monotonicMilliseconds() + CABLE_MS;
  for (const { plan, link } of links) {
    if (!plan.up || plan.mac === null) continue;
    while (linkAt(netlink, link.index)?.connected === false && monotonicMilliseconds() < deadline)
      sleep(PAUSE_MS);
  }
}

/** Those of the plan, by their names in the end. */
export function nameInterfaces(netlink: Netlink, plans: readonly InterfacePlan[]): readonly FoundLink[] {
  const links = findLinks(netlink, plans);
  for (const { index, name } of renamings(links)) changeLink(netlink, index, { name });
  return links;
}

/** Comes up last: settings that count from its first moment on are made by then. */
export function configureInterface(netlink: Netlink, { plan, link }: FoundLink): void {
  const { mtu, queueLength } = plan;
  changeLink(netlink, link.index, {
    ...(plan.mac !== null && plan.mac !== link.mac && { mac: plan.mac }),
    ...(mtu !== null && { mtu }),
    ...(queueLength !== null && { queueLength }),
    ...(plan.mac !== null && { arp: plan.arp }),
    promiscuous: plan.promiscuous,
    allMulticast: plan.allMulticast,
  });
  // `lo` has got its own by coming up.
  for (const address of plan.addresses)
    unless(['EEXIST'], () => addAddress(netlink, newAddress(address, link.index)));
  if (plan.up) changeLink(netlink, link.index, { up: true });
}

/** As the machine was saved with them, but for their names: down, and nobody's. Routes go with them. */
export function bareInterfaces(plans: readonly InterfacePlan[]): void {
  using netlink = new Netlink();
  const own = matchLinks(plans, listLinks(netlink)).filter(({ link }) => link.index !== LOOPBACK);
  for (const [number, { link }] of own.entries()) {
    changeLink(netlink, link.index, { up: false });
    changeLink(netlink, link.index, { mac: standInAddress(number) });
    for (const address of listAddresses(netlink))
      if (address.link === link.index) unless(['EADDRNOTAVAIL'], () => deleteAddress(netlink, address));
  }
}

function newAddress(plan: AddressPlan, link: number): NewAddress {
  const { scope, deprecated, prefixRoute, broadcast, peer } = plan;
  return {
    ...{ link, ...parsePrefix(plan.address), scope, deprecated, prefixRoute },
    ...(broadcast !== null && { broadcast }),
    ...(peer !== null && { peer }),
  };
}

/** A driver may still be about to announce its device. */
function findLinks(netlink: Netlink, plans: readonly InterfacePlan[]): readonly FoundLink[] {
  const deadline = monotonicMilliseconds() + PATIENCE_MS;
  for (;;) {
    const found = matchLinks(plans, listLinks(netlink));
    if (found.length === plans.length) return found;
    if (monotonicMilliseconds() > deadline) throw missing(plans, found);
    sleep(PAUSE_MS);
  }
}

/** Interfaces upon one parent may share its hardware address, and those that a machine was saved with have not got theirs yet: devices come in the order of the plan. */
export function matchLinks(
  plans: readonly InterfacePlan[],
  links: readonly FoundLink['link'][],
): FoundLink[] {
  const free = [...links].sort((one, other) => one.index - other.index);
  return plans.flatMap((plan) => {
    const at = free.findIndex((link) =>
      plan.mac === null ? link.index === LOOPBACK : link.index !== LOOPBACK && isOf(link, plan.mac),
    );
    return at === -1 ? [] : free.splice(at, 1).map((link) => ({ plan, link }));
  });
}

function isOf({ mac }: FoundLink['link'], wanted: string): boolean {
  return mac === wanted || mac?.startsWith(STAND_IN_ADDRESS) === true;
}

function missing(plans: readonly InterfacePlan[], found: readonly FoundLink[]): InitError {
  const lost = plans.find((plan) => !found.some((other) => other.plan === plan));
  return new InitError('interfaces', `no device ${lost?.mac} for interface ${lost?.name}`);
}

/** All that have to change names first take one that nobody wants, so that two can swap theirs. */
export function renamings(links: readonly FoundLink[]): readonly { index: number; name: string }[] {
  const wrong = links.filter(({ plan, link }) => plan.name !== link.name);
  return [
    ...wrong.map(({ link }) => ({ index: link.index, name: `rkt-tmp${link.index}` })),
    ...wrong.map(({ plan, link }) => ({ index: link.index, name: plan.name })),
  ];
}

/** `10.1.0.2/24`. @throws InitError */
export function parsePrefix(text: string): Prefix {
  const [address, length, ...more] = text.split('/');
  if (address === undefined || length === undefined || more.length > 0 || !/^\d{1,3}$/.test(length))
    throw new InitError('interfaces', `${text} is no ADDRESS/PREFIX`);
  return { address, length: Number(length) };
}
