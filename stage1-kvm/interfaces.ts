/** Joins a machine to the interfaces that plugins have left in the pod's network namespace. */
import { type NetworkPlan, NO_NETWORK } from '../src/abi/network-plan.ts';
import { hasCode, SystemError, unless } from '../src/native/errors.ts';
import { close, open, open_ } from '../src/native/files.ts';
import {
  changeLink,
  createLink,
  findLink,
  type Link,
  leaveUnaddressed,
} from '../src/native/netlink/links.ts';
import { deleteQueue } from '../src/native/netlink/queues.ts';
import { Netlink } from '../src/native/netlink/socket.ts';
import { joinLinks } from '../src/native/netlink/traffic.ts';
import { openTap } from '../src/native/taps.ts';
import type { NetworkSnapshot } from '../src/supervisor/network/snapshot.ts';
import type { Accelerator } from './accelerator.ts';
import { KvmError } from './error.ts';
import { presentModules } from './guest-modules.ts';
import {
  fdsOf,
  type InterfaceFds,
  interfaceArguments,
  type JoinedInterface,
  MOST_INTERFACES,
  queuesFor,
} from './interface-arguments.ts';
import { openMacvtap } from './macvtap.ts';
import { QEMU_FDS } from './vmm.ts';

/** What a machine has of a network. */
export interface MachineNetwork {
  readonly plan: NetworkPlan;
  /** As many interfaces that a machine can be saved with. */
  readonly interfaces: number;
  readonly qemuArguments: readonly string[];
  /** QEMU has them after QEMU_FDS; taken over. */
  readonly fds: readonly number[];
  /** Where QEMU is to be in the host's network instead of the pod's. */
  readonly host?: QemuInHostNetwork;
}

export interface QemuInHostNetwork {
  /** The host's network namespace, by fd; taken over. */
  readonly namespace: number;
  /** For QEMU's own resolver. */
  readonly resolvConf: string;
}

const NO_QUEUE = ['ENOENT', 'EINVAL', 'EOPNOTSUPP'];

export const NOT_JOINED: MachineNetwork = { plan: NO_NETWORK, interfaces: 0, qemuArguments: [], fds: [] };

export interface JoinedMachine {
  readonly cpus: number;
  readonly accelerator: Accelerator;
}

/** @throws KvmError `unsupported` */
export function checkInterfaces({ links }: NetworkSnapshot): void {
  if (links.length > MOST_INTERFACES)
    throw new KvmError('unsupported', `${links.length} interfaces: a machine has at most ${MOST_INTERFACES}`);
}

/** @throws KvmError `unsupported` */
export function joinInterfaces({ plan, links }: NetworkSnapshot, machine: JoinedMachine): MachineNetwork {
  using netlink = new Netlink();
  const queues = queuesFor(machine.cpus);
  const joined = links.map((link, number) => ({
    mac: link.mac ?? '',
    taps: join(netlink, link, number, queues),
    vhosts: openVhosts(queues),
  }));
  return joinedNetwork(plan, joined, machine);
}

/** By taps that a machine has already, which have come to this namespace. @throws SystemError, KvmError; the interfaces are as before then */
export function joinSpareInterfaces(
  { plan, links }: NetworkSnapshot,
  machine: JoinedMachine,
  given: readonly InterfaceFds[],
): MachineNetwork {
  using netlink = new Netlink();
  const isJoined: Link[] = [];
  try {
    for (const [number, link] of links.entries()) {
      redirect(netlink, link, tapName(number));
      isJoined.push(link);
    }
  } catch (error) {
    for (const { index } of isJoined) unless(NO_QUEUE, () => deleteQueue(netlink, index, 'ingress'));
    throw error;
  }
  const joined = given.map((fds, number) => ({ ...fds, mac: links[number]?.mac ?? '' }));
  return joinedNetwork(plan, joined, machine);
}

function joinedNetwork(
  plan: NetworkPlan,
  joined: readonly JoinedInterface[],
  { accelerator }: JoinedMachine,
): MachineNetwork {
  return {
    plan,
    interfaces: joined.length,
    qemuArguments: interfaceArguments(joined, QEMU_FDS.length, accelerator),
    fds: fdsOf(joined),
  };
}

/** The name of the tap of an interface. */
export function tapName(number: number): string {
  return `rkt-tap${number}`;
}

/** The fds of the queues. What redirects packets may be lacking in this kernel, or be a plugin's own on this interface. */
function join(netlink: Netlink, link: Link, number: number, queues: number): number[] {
  const name = tapName(number);
  try {
    return joinByTap(netlink, link, name, queues);
  } catch (refusal) {
    if (!(refusal instanceof SystemError)) throw refusal;
    return joinByMacvtap(netlink, link, name, queues, refusal);
  }
}

/**
 * A tap beside the interface: what the one receives the other sends, before the namespace's own stack sees it, whose addresses stay
 * where plugins look for them.
 */
function joinByTap(netlink: Netlink, link: Link, name: string, queues: number): number[] {
  const fds = openTap(name, queues);
  try {
    redirect(netlink, link, name);
    return fds;
  } catch (error) {
    // The tap goes with them, and its name is free.
    for (const fd of fds) close(fd);
    throw error;
  }
}

function redirect(netlink: Netlink, link: Link, name: string): void {
  const tap = findLink(netlink, name);
  if (tap === undefined) throw new KvmError('vessel-failed', `the tap ${name} has gone`);
  // It would talk to the guest as a neighbour of its own.
  unless(['EAFNOSUPPORT'], () => leaveUnaddressed(netlink, tap.index));
  // A tap takes somewhat smaller packets than other interfaces.
  changeLink(netlink, tap.index, { mtu: link.mtu });
  changeLink(netlink, tap.index, { up: true });
  try {
    joinLinks(netlink, link.index, tap.index);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) unless(NO_QUEUE, () => deleteQueue(netlink, link.index, 'ingress'));
    throw error;
  }
}

/** A tap upon the interface, which takes all that it receives after whatever else looks at it there. */
function joinByMacvtap(
  netlink: Netlink,
  link: Link,
  name: string,
  queues: number,
  refusal: SystemError,
): number[] {
  try {
    const upon = { kind: 'macvtap', parent: link.index, mode: 'passthru' } as const;
    createLink(netlink, { name, ...upon }, { mtu: link.mtu });
    const index = findLink(netlink, name)?.index ?? 0;
    unless(['EAFNOSUPPORT'], () => leaveUnaddressed(netlink, index));
    changeLink(netlink, index, { up: true });
    return openMacvtap(name, index, queues);
  } catch (cause) {
    if (!(cause instanceof SystemError)) throw cause;
    const why = `${refusal.message} (the kernel needs sch_ingress, cls_u32 and act_mirred); ${cause.message} (or macvtap)`;
    throw new KvmError('unsupported', `interface ${link.name} cannot be joined to the machine: ${why}`, {
      cause,
    });
  }
}

/** The host's kernel moves packets itself where it can; without it QEMU does. */
export function openVhosts(count: number): number[] {
  const fds: number[] = [];
  try {
    for (let opened = 0; opened < count; opened++) fds.push(open('/dev/vhost-net', open_.readWrite));
    return fds;
  } catch (error) {
    for (const fd of fds) close(fd);
    if (error instanceof SystemError) return [];
    throw error;
  }
}

const DRIVERS = ['failover', 'net_failover', 'virtio_net'];

/** Those that the guest has to load; a kernel that has them built in has no such files. */
export function networkModules({ interfaces }: NetworkPlan): string[] {
  if (interfaces.every(({ mac }) => mac === null)) return [];
  return presentModules(DRIVERS);
}
