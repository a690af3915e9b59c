import type { InterfacePlan, RoutePlan } from '../src/abi/boot-plan.ts';
import { monotonicMilliseconds, sleep } from '../src/native/clock.ts';
import { unless } from '../src/native/errors.ts';
import { addAddress } from '../src/native/netlink/addresses.ts';
import { familyOf, type Prefix, parseIp } from '../src/native/netlink/ip.ts';
import { changeLink, type Link, listLinks } from '../src/native/netlink/links.ts';
import { addRoute } from '../src/native/netlink/routes.ts';
import { Netlink } from '../src/native/netlink/socket.ts';
import { InitError } from './error.ts';

/** The kernel gives `lo` this index in every network namespace. */
const LOOPBACK = 1;
const PATIENCE_MS = 10_000;
const PAUSE_MS = 2;

export function bringUpLoopback(): void {
  using netlink = new Netlink();
  changeLink(netlink, LOOPBACK, { up: true });
}

/** Names, addresses and routes as the plan has them. */
export function configureInterfaces(plans: readonly InterfacePlan[]): void {
  if (plans.length === 0) return;
  using netlink = new Netlink();
  const links = findLinks(netlink, plans);
  for (const { index, name } of renamings(links)) changeLink(netlink, index, { name });
  for (const { plan, link } of links) {
    changeLink(netlink, link.index, plan.mtu === null ? {} : { mtu: plan.mtu });
    // `lo` has got its own by coming up.
    for (const address of plan.addresses)
      unless(['EEXIST'], () => addAddress(netlink, { link: link.index, ...parsePrefix(address) }));
    changeLink(netlink, link.index, { up: true });
  }
  // After all links: a gateway may be behind another one. And direct routes first: gateways are reached by them.
  for (const { plan, link } of links)
    for (const route of directFirst(plan.routes)) makeRoute(netlink, link.index, route);
}

export interface FoundLink {
  readonly plan: InterfacePlan;
  readonly link: Pick<Link, 'index' | 'name' | 'mac'>;
}

/** A driver may still be about to announce its device. */
function findLinks(netlink: Netlink, plans: readonly InterfacePlan[]): readonly FoundLink[] {
  const deadline = monotonicMilliseconds() + PATIENCE_MS;
  for (;;) {
    const links = listLinks(netlink);
    const found = plans.flatMap((plan) => {
      const link = links.find(({ mac, index }) =>
        plan.mac === null ? index === LOOPBACK : mac === plan.mac,
      );
      return link === undefined ? [] : [{ plan, link }];
    });
    if (found.length === plans.length) return found;
    if (monotonicMilliseconds() > deadline) throw missing(plans, found);
    sleep(PAUSE_MS);
  }
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

export function directFirst(routes: readonly RoutePlan[]): readonly RoutePlan[] {
  return [
    ...routes.filter(({ gateway }) => gateway === null),
    ...routes.filter(({ gateway }) => gateway !== null),
  ];
}

/** What an address brought with it, its subnet's route, is there already. */
function makeRoute(netlink: Netlink, link: number, { destination, gateway, metric }: RoutePlan): void {
  const prefix = parsePrefix(destination);
  const route = {
    family: familyOf(parseIp(prefix.address)),
    destination: prefix.length === 0 ? undefined : prefix,
    link,
    ...(gateway === null ? {} : { gateway }),
    ...(metric === null ? {} : { priority: metric }),
  };
  unless(['EEXIST'], () => addRoute(netlink, route));
}

/** `10.1.0.2/24`. @throws InitError */
export function parsePrefix(text: string): Prefix {
  const [address, length, ...more] = text.split('/');
  if (address === undefined || length === undefined || more.length > 0 || !/^\d{1,3}$/.test(length))
    throw new InitError('interfaces', `${text} is no ADDRESS/PREFIX`);
  return { address, length: Number(length) };
}
