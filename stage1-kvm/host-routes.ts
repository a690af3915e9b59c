/** What the host's routes say of its network. Pure. */
import { AF_INET, type Prefix } from '../src/native/netlink/ip.ts';
import type { Route } from '../src/native/netlink/routes.ts';

const LOOPBACK = 1;
/** Shorter than this it is a default route in parts. */
const SHORTEST_OCCUPIED = 8;

type SomeRoute = Pick<Route, 'family' | 'destination' | 'type' | 'link'>;

/** Networks of IPv4 that the host has or reaches. Addresses have routes of the kernel's own, so they are among them. */
export function occupiedBy(routes: readonly SomeRoute[]): Prefix[] {
  return routes.flatMap(({ family, destination }) =>
    family === AF_INET && destination !== undefined && destination.length >= SHORTEST_OCCUPIED
      ? [destination]
      : [],
  );
}

/** Beyond its loopback and the neighbours on its links. */
export function reachesOthersByV6(routes: readonly SomeRoute[]): boolean {
  return routes.some(
    ({ family, type, link, destination }) =>
      family !== AF_INET &&
      type === 'unicast' &&
      link !== LOOPBACK &&
      !/^(fe[89ab]|ff)/i.test(destination?.address ?? ''),
  );
}
