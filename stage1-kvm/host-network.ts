/**
 * `--net=host` of a machine. A virtual machine has a network stack of its own: it cannot be in the host's. QEMU is, and makes the
 * guest's connections its own (user-mode networking): they have the host's addresses. Pure.
 */
import type { AddressPlan, NetworkPlan, RoutePlan } from '../src/abi/network-plan.ts';
import type { PublishedPort } from '../src/abi/published-ports.ts';
import type { Port } from '../src/appc/index.ts';
import type { Prefix } from '../src/native/netlink/ip.ts';
import type { Dns } from '../src/net/cni/result.ts';
import { KvmError } from './error.ts';

/** A port of the host's addresses, and the guest's of the same number. */
export interface Forward {
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
  /** Whose app's it is. */
  readonly app: string;
}

export interface HostNetworkFacts {
  /** The host's IPv4 addresses, and what its routes lead to; default routes are not among them. */
  readonly occupied: readonly Prefix[];
  /** The host reaches others by IPv6. */
  readonly ipv6: boolean;
  /** Of the host. */
  readonly dns: Dns;
  /** Ports below are for privileged programs, which QEMU is not. */
  readonly unprivilegedPorts: number;
  /** Of those that are wanted, the ones that a program of the host has, or another pod. */
  readonly busy: readonly Forward[];
}

export interface HostNetwork {
  readonly qemuArguments: readonly string[];
  readonly plan: NetworkPlan;
  /** That the guest reaches the host by. */
  readonly hostAddress: string;
  /** For the apps. */
  readonly dns: Dns;
  /** What QEMU's own resolver reads, for the name servers that the guest has no way to. */
  readonly resolvConf: string;
  readonly forwards: readonly Forward[];
  /** What cannot be had, for the operator. */
  readonly remarks: readonly string[];
}

/** An image may declare any number, and each is a listening socket of the host. */
const MOST_FORWARDS = 64;
/** Networks of 256 addresses between QEMU and the guest; taken is the first that hides none of the host's. */
const SUBNETS = ['10.0.2', '172.31.254', '192.168.254', '198.19.254'] as const;
const SUBNET_BITS = 24;
/** Of no use elsewhere: packets of the guest go no further than QEMU. */
const SUBNET_V6 = 'fd72:6b74:';
const INTERFACE = 'eth0';
const MAC = '02:72:6b:74:00:02';
/** Last parts of the addresses, in both families. */
const HOST = 2;
const RESOLVER = 3;
const GUEST = 15;

/** Of what `-netdev help` says: the kinds of networks, a word each. */
export function hasUserNetworking(kinds: string): boolean {
  return kinds.split(/\s+/).includes('user');
}

interface AppPorts {
  readonly name: string;
  readonly app: { readonly ports: readonly Pick<Port, 'protocol' | 'port' | 'count'>[] };
}

/** Each port once, whoever declares it; what has no forwarding in QEMU is left out. */
export function wantedForwards(apps: readonly AppPorts[]): readonly Forward[] {
  const wanted = new Map<string, Forward>();
  for (const { name, app } of apps)
    for (const { protocol, port, count } of app.ports) {
      if (protocol !== 'tcp' && protocol !== 'udp') continue;
      for (let next = port; next < port + count && wanted.size <= MOST_FORWARDS; next++) {
        const key = `${next}/${protocol}`;
        if (!wanted.has(key)) wanted.set(key, { protocol, port: next, app: name });
      }
    }
  return [...wanted.values()];
}

/** @throws KvmError `unsupported` */
export function planHostNetwork(wanted: readonly Forward[], facts: HostNetworkFacts): HostNetwork {
  const subnet = chooseSubnet(facts.occupied);
  const names = planNames(facts.dns, subnet, facts.ipv6);
  const judged = wanted
    .slice(0, MOST_FORWARDS)
    .map((forward) => ({ forward, refusal: refusalOf(forward, facts) }));
  const forwards = judged.flatMap(({ forward, refusal }) => (refusal === undefined ? [forward] : []));
  return {
    qemuArguments: qemuArguments(subnet, facts.ipv6, forwards),
    plan: planGuest(subnet, facts.ipv6),
    hostAddress: `${subnet}.${HOST}`,
    ...names,
    forwards,
    remarks: [
      ...judged.flatMap(({ forward, refusal }) =>
        refusal === undefined ? [] : [`${describe(forward)} is not the host's: ${refusal}`],
      ),
      ...(wanted.length > MOST_FORWARDS
        ? [`only the first ${MOST_FORWARDS} ports of the apps are the host's`]
        : []),
    ],
  };
}

/** `port 8080/tcp of app web` */
export function describe({ protocol, port, app }: Forward): string {
  return `port ${port}/${protocol} of app ${app}`;
}

/** As other pods and `status` are to know of it. */
export function publishedPort({ protocol, port }: Forward): PublishedPort {
  const name = `${port}-${protocol}`;
  return { name, protocol, hostIP: '0.0.0.0', hostPort: port, podPort: port, count: 1 };
}

function refusalOf(forward: Forward, { unprivilegedPorts, busy }: HostNetworkFacts): string | undefined {
  if (forward.port < unprivilegedPorts)
    return `the machine may not listen below ${unprivilegedPorts} (net.ipv4.ip_unprivileged_port_start)`;
  const isBusy = busy.some(({ protocol, port }) => protocol === forward.protocol && port === forward.port);
  return isBusy ? 'another program or pod of the host has it' : undefined;
}

function chooseSubnet(occupied: readonly Prefix[]): string {
  const free = SUBNETS.find((subnet) => !occupied.some((other) => overlaps(subnet, other)));
  if (free !== undefined) return free;
  const tried = SUBNETS.map((subnet) => `${subnet}.0/${SUBNET_BITS}`).join(', ');
  throw new KvmError(
    'unsupported',
    `--net=host: the host uses all networks that a machine could have: ${tried}`,
  );
}

function overlaps(subnet: string, { address, length }: Prefix): boolean {
  const shift = 2 ** (32 - Math.min(length, SUBNET_BITS));
  return Math.floor(numberOf(`${subnet}.0`) / shift) === Math.floor(numberOf(address) / shift);
}

function numberOf(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** Each with its reason; `,` separates options, and nothing here has one. */
function qemuArguments(subnet: string, ipv6: boolean, forwards: readonly Forward[]): string[] {
  const options = [
    'user,id=host',
    `ipv4=on,net=${subnet}.0/${SUBNET_BITS},host=${subnet}.${HOST},dns=${subnet}.${RESOLVER}`,
    // Where the host has none, connections by IPv6 would only fail later.
    ipv6
      ? `ipv6=on,ipv6-net=${SUBNET_V6}:/64,ipv6-host=${SUBNET_V6}:${HOST},ipv6-dns=${SUBNET_V6}:${RESOLVER}`
      : 'ipv6=off',
    ...forwards.map(({ protocol, port }) => `hostfwd=${protocol}::${port}-${subnet}.${GUEST}:${port}`),
  ];
  // No ROM to boot from the network by.
  return ['-netdev', options.join(','), '-device', `virtio-net-pci,netdev=host,mac=${MAC},romfile=`];
}

function planGuest(subnet: string, ipv6: boolean): NetworkPlan {
  return {
    interfaces: [
      {
        ...{
          name: INTERFACE,
          mac: MAC,
          mtu: null,
          up: true,
          arp: true,
          promiscuous: false,
          allMulticast: false,
        },
        queueLength: null,
        addresses: [
          addressPlan(`${subnet}.${GUEST}/${SUBNET_BITS}`),
          ...(ipv6 ? [addressPlan(`${SUBNET_V6}:${GUEST}/64`)] : []),
        ],
      },
    ],
    // Also those that the kernel makes for the addresses: what is not here, it is not to have.
    routes: [
      {
        ...routePlan(`${subnet}.0/${SUBNET_BITS}`, null),
        protocol: 2,
        scope: 253,
        source: `${subnet}.${GUEST}`,
      },
      routePlan('0.0.0.0/0', `${subnet}.${HOST}`),
      ...(ipv6
        ? [
            { ...routePlan(`${SUBNET_V6}:/64`, null), protocol: 2, metric: 256 },
            routePlan('::/0', `${SUBNET_V6}:${HOST}`),
          ]
        : []),
    ],
    rules: [],
    neighbours: [],
    sysctls: [],
  };
}

function addressPlan(address: string): AddressPlan {
  return { address, peer: null, broadcast: null, scope: 0, deprecated: false, prefixRoute: true };
}

function routePlan(destination: string, gateway: string | null): RoutePlan {
  return {
    ...{ destination, table: 254, metric: 0, type: 'unicast', scope: 0, protocol: 4, tos: 0, source: null },
    hops: [{ interface: INTERFACE, gateway, onLink: false, weight: 1 }],
    metrics: [],
  };
}

/**
 * A name server that the host reaches by itself alone, as `127.0.0.53` or one of a link, is asked by way of QEMU; all others by the
 * guest. QEMU asks one in each family, so of those only the first counts.
 */
function planNames(dns: Dns, subnet: string, ipv6: boolean): Pick<HostNetwork, 'dns' | 'resolvConf'> {
  const servers = (dns.nameservers ?? []).filter((server) => ipv6 || !server.includes(':'));
  const nearby = servers.filter(isNearby);
  const seen = servers.map((server) => (isNearby(server) ? resolverFor(server, subnet) : server));
  const nameservers = [...new Set(seen)];
  return {
    dns: { ...dns, nameservers },
    resolvConf: nearby.map((server) => `nameserver ${server}\n`).join(''),
  };
}

function isNearby(server: string): boolean {
  return server.startsWith('127.') || server === '::1' || server.includes('%') || /^fe[89ab]/i.test(server);
}

function resolverFor(server: string, subnet: string): string {
  return server.includes(':') ? `${SUBNET_V6}:${RESOLVER}` : `${subnet}.${RESOLVER}`;
}
