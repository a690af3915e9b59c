/**
 * What plugins have made of the pod's network namespace, read when the last of them is done. This, not what they say of it, is the
 * network that the pod gets.
 */
import type { InterfacePlan, NetworkPlan } from '../../abi/network-plan.ts';
import { type InterfaceAddress, listAddresses } from '../../native/netlink/addresses.ts';
import { type Link, listLinks } from '../../native/netlink/links.ts';
import { listSetNeighbours } from '../../native/netlink/neighbours.ts';
import { listRoutes } from '../../native/netlink/routes.ts';
import { listRules } from '../../native/netlink/rules.ts';
import { Netlink } from '../../native/netlink/socket.ts';
import { planNeighbours, planRoutes, planRules } from './routing-plan.ts';

/** The interfaces of a namespace that no plugin has seen yet, by index: kernels may put tunnels into each. */
export type FreshLinks = ReadonlySet<number>;

export interface NetworkSnapshot {
  /** Without the kernel's settings: `sysctl-changes.ts`. */
  readonly plan: NetworkPlan;
  /** Those that the machine is joined to, in the order in which its devices are to come. */
  readonly links: readonly Link[];
  /** What a machine cannot have. */
  readonly remarks: readonly string[];
}

export function readFreshLinks(): FreshLinks {
  using netlink = new Netlink();
  return new Set(listLinks(netlink).map(({ index }) => index));
}

/** Interfaces whose names are `ours` no plugin has made. */
export function readSnapshot(
  fresh: FreshLinks,
  ours: (name: string) => boolean = () => false,
): NetworkSnapshot {
  using netlink = new Netlink();
  const all = listLinks(netlink).filter(({ name }) => !ours(name));
  const { links, remarks } = chooseLinks(all, fresh);
  const names = new Map(
    [...links, ...all.filter(({ loopback }) => loopback)].map((link) => [link.index, link.name]),
  );
  const addresses = listAddresses(netlink);
  const loopbacks = all
    .filter(({ loopback }) => loopback)
    .flatMap((link) => planLoopback(link, addresses) ?? []);
  return {
    plan: {
      interfaces: [...loopbacks, ...links.map((link) => planLink(link, addresses))],
      routes: planRoutes(listRoutes(netlink), names),
      rules: planRules(listRules(netlink)),
      neighbours: planNeighbours(listSetNeighbours(netlink), names),
      sysctls: [],
    },
    links,
    remarks,
  };
}

/** Those that carry Ethernet, and have come to the namespace from outside. */
export function chooseLinks(
  all: readonly Link[],
  fresh: FreshLinks,
): Pick<NetworkSnapshot, 'links' | 'remarks'> {
  const links: Link[] = [];
  const remarks: string[] = [];
  for (const link of all.filter(({ index, loopback }) => !loopback && !fresh.has(index))) {
    const reason = unfitness(link, all);
    if (reason === undefined) links.push(link);
    else remarks.push(`the machine has no interface ${link.name}: ${reason}`);
  }
  return { links, remarks };
}

function unfitness(link: Link, all: readonly Link[]): string | undefined {
  const { mac, master, peer, peerIsElsewhere, kind } = link;
  if (mac === undefined) return `it is no ethernet${kind === undefined ? '' : ` (${kind})`}`;
  if (master !== undefined) return 'it is a port of another';
  const isUpon = kind !== 'veth' && !peerIsElsewhere && all.some(({ index }) => index === peer);
  return isUpon ? 'it is upon another of the pod' : undefined;
}

/** The machine has one; undefined where it has what every machine has. */
function planLoopback(link: Link, addresses: readonly InterfaceAddress[]): InterfacePlan | undefined {
  const plan = planLink(link, addresses);
  const own = plan.addresses.filter(({ address }) => address !== '127.0.0.1/8' && address !== '::1/128');
  return own.length === 0 ? undefined : { ...plan, mac: null, mtu: null, queueLength: null, addresses: own };
}

/** A router's or DHCP's addresses, which end by themselves, the machine gets from there. */
function planLink(link: Link, addresses: readonly InterfaceAddress[]): InterfacePlan {
  const own = addresses.filter((address) => address.link === link.index && address.permanent);
  return {
    name: link.name,
    mac: link.mac ?? null,
    mtu: link.mtu,
    up: link.up,
    arp: link.arp,
    promiscuous: link.promiscuous,
    allMulticast: link.allMulticast,
    queueLength: link.queueLength,
    addresses: own.map(({ address, length, peer, broadcast, scope, deprecated, prefixRoute }) => ({
      ...{ address: `${address}/${length}`, peer: peer ?? null, broadcast: broadcast ?? null },
      ...{ scope, deprecated, prefixRoute },
    })),
  };
}
