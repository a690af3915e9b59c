/** Ports of the host that nobody has, for who does not mind which. */
import { LARGEST_PORT } from '../abi/published-ports.ts';
import { type HostPorts, overlaps } from './published-ports.ts';

/** From here on nothing is reserved by custom for anything. */
const FIRST = 10_000;

export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/**
 * The first of `count` free ports in a row; undefined where there are none. Those that the kernel gives to connections of its own
 * (`ephemeral`) come last: a program that got one would not be reached. `start`, any number, is where the search begins, so
 * that a port that was let go of is not at once somebody else's.
 */
export function chooseFreePort(
  wanted: Omit<HostPorts, 'hostPort'>,
  taken: readonly HostPorts[],
  ephemeral: PortRange,
  start: number,
): number | undefined {
  const choices = LARGEST_PORT - FIRST - wanted.count + 2;
  const all = Array.from({ length: Math.max(choices, 0) }, (_, n) => FIRST + ((start + n) % choices));
  const isEphemeral = (port: number) => port <= ephemeral.last && port + wanted.count > ephemeral.first;
  const isFree = (hostPort: number) => !taken.some((other) => overlaps({ ...wanted, hostPort }, other));
  return (
    all.find((port) => !isEphemeral(port) && isFree(port)) ??
    all.find((port) => isEphemeral(port) && isFree(port))
  );
}
