/** What the hardware addresses begin with of interfaces that a machine was saved with, until it is told whose they are: locally administered, and nobody else's. */
export const STAND_IN_ADDRESS = 'fe:72:6b:74:00:';

/** That of an interface, by its number. */
export function standInAddress(number: number): string {
  return `${STAND_IN_ADDRESS}${number.toString(16).padStart(2, '0')}`;
}

/**
 * The network of a pod as PID 1 makes it: what plugins have left in the pod's network namespace, by names instead of indexes.
 * Part of the `BootPlan`. Addresses are text; numbers are the kernel's, as rtnetlink(7) has them.
 */
export interface NetworkPlan {
  readonly interfaces: readonly InterfacePlan[];
  /** Of all tables; what addresses bring with them is here, too, as a plugin may have taken it away or moved it. */
  readonly routes: readonly RoutePlan[];
  /** Beside the three that every namespace has. */
  readonly rules: readonly RulePlan[];
  readonly neighbours: readonly NeighbourPlan[];
  /** In the order to write them in. */
  readonly sysctls: readonly SysctlPlan[];
}

export const NO_NETWORK: NetworkPlan = { interfaces: [], routes: [], rules: [], neighbours: [], sysctls: [] };

export interface InterfacePlan {
  /** Name the interface gets; `lo` always exists. */
  readonly name: string;
  /**
   * Finds the device: the hardware address it has, lower case with colons; null for `lo`. Of several with one address the first
   * is the first in the plan.
   */
  readonly mac: string | null;
  /** Null: as it is. */
  readonly mtu: number | null;
  readonly up: boolean;
  /** Whether it asks for hardware addresses, by ARP and neighbour discovery. */
  readonly arp: boolean;
  readonly promiscuous: boolean;
  readonly allMulticast: boolean;
  readonly queueLength: number | null;
  readonly addresses: readonly AddressPlan[];
}

export interface AddressPlan {
  /** `ADDRESS/PREFIX`, IPv4 or IPv6. */
  readonly address: string;
  /** The far end of a point-to-point address, which the prefix is then of. */
  readonly peer: string | null;
  readonly broadcast: string | null;
  /** 0 global, 253 link, 254 host. */
  readonly scope: number;
  /** Not to be chosen for new connections. */
  readonly deprecated: boolean;
  /** Whether the kernel adds the route to the address's network. */
  readonly prefixRoute: boolean;
}

export interface RoutePlan {
  /** `ADDRESS/PREFIX`; `0.0.0.0/0` or `::/0` is the default route. */
  readonly destination: string;
  readonly table: number;
  /** 0: the kernel's own choice. */
  readonly metric: number;
  readonly type: RouteType;
  readonly scope: number;
  /** Who made it: 2 the kernel, 3 boot, 4 an administrator. */
  readonly protocol: number;
  readonly tos: number;
  /** The address that outgoing packets carry. */
  readonly source: string | null;
  /** Ways that packets may go; none for routes that refuse them. */
  readonly hops: readonly HopPlan[];
  /** RTAX_* by number: 2 mtu, 8 advmss and others that are numbers. */
  readonly metrics: readonly RouteMetric[];
}

export type RouteType =
  | ('unicast' | 'local' | 'broadcast' | 'anycast' | 'multicast')
  | ('blackhole' | 'unreachable' | 'prohibit' | 'throw');

export interface HopPlan {
  readonly interface: string;
  /** Of either family. */
  readonly gateway: string | null;
  /** The gateway is taken to be on the link, whatever the addresses say. */
  readonly onLink: boolean;
  /** Of several hops; from 1. */
  readonly weight: number;
}

export interface RouteMetric {
  readonly number: number;
  readonly value: number;
}

/** All that is null or 0 is any. */
export interface RulePlan {
  readonly family: 4 | 6;
  /** The lowest counts first. */
  readonly priority: number;
  readonly action: 'table' | 'goto' | 'nop' | 'blackhole' | 'unreachable' | 'prohibit';
  readonly table: number;
  /** Of `goto`. */
  readonly target: number | null;
  /** `ADDRESS/PREFIX`. */
  readonly source: string | null;
  readonly destination: string | null;
  readonly incoming: string | null;
  readonly outgoing: string | null;
  readonly tos: number;
  readonly mark: number | null;
  readonly markMask: number | null;
  /** Of IP: 6 TCP, 17 UDP. */
  readonly ipProtocol: number | null;
  readonly sourcePorts: NumberRange | null;
  readonly destinationPorts: NumberRange | null;
  readonly uids: NumberRange | null;
  /** Routes with so short a prefix do not count. */
  readonly suppressLength: number | null;
  /** For all packets but these. */
  readonly inverted: boolean;
}

export interface NumberRange {
  readonly first: number;
  readonly last: number;
}

/** A hardware address that is known without asking; or an address that is answered for. */
export interface NeighbourPlan {
  readonly interface: string;
  readonly address: string;
  /** Null for one that is answered for. */
  readonly mac: string | null;
}

export interface SysctlPlan {
  /** Below /proc/sys/net, with slashes: `ipv4/conf/eth0/arp_notify`. */
  readonly name: string;
  readonly value: string;
}
