/** The machine's network devices, as QEMU is told of them. Pure. */
import type { Accelerator } from './accelerator.ts';

/** Slots of the machine's bus, less those of other devices. */
export const MOST_INTERFACES = 24;
/** Each queue is a thread's work on either side: more than these cost more than they give. */
const MOST_QUEUES = 8;
/** Two for each queue, one for changes of the device, one for commands. */
const vectorsFor = (queues: number) => 2 * queues + 2;

export interface InterfaceFds {
  /** The supervisor's, one for each queue. */
  readonly taps: readonly number[];
  /** As many, or none. */
  readonly vhosts: readonly number[];
}

export interface JoinedInterface extends InterfaceFds {
  readonly mac: string;
}

/** Of all interfaces, in their order. */
export function fdsOf(interfaces: readonly InterfaceFds[]): number[] {
  return interfaces.flatMap(({ taps, vhosts }) => [...taps, ...vhosts]);
}

export function queuesFor(cpus: number): number {
  return Math.min(cpus, MOST_QUEUES);
}

/** QEMU has the fds of all interfaces in their order, from `first` on: of each its taps, then its vhosts. */
export function interfaceArguments(
  joined: readonly JoinedInterface[],
  first: number,
  accelerator: Accelerator,
): string[] {
  let next = first;
  const numbers = (fds: readonly number[]) => fds.map(() => String(next++)).join(':');
  return joined.flatMap((each, index) => {
    const [taps, vhosts] = [numbers(each.taps), numbers(each.vhosts)];
    return [
      ...['-netdev', netdev(`net${index}`, each, taps, vhosts)],
      ...['-device', device(`net${index}`, each, accelerator)],
    ];
  });
}

function netdev(id: string, { taps }: JoinedInterface, fds: string, vhosts: string): string {
  const isOne = taps.length === 1;
  const accelerated = vhosts === '' ? [] : ['vhost=on', `${isOne ? 'vhostfd' : 'vhostfds'}=${vhosts}`];
  return ['tap', `id=${id}`, `${isOne ? 'fd' : 'fds'}=${fds}`, ...accelerated].join(',');
}

/**
 * No ROM to boot from the network by. How large packets may be PID 1 tells its kernel, by the plan.
 *
 * A guest that has something to send writes to a register. With KVM the kernel makes an event of that, and the guest goes on. In emulation
 * QEMU has the register in hand already: an event would cost it one more round of its loop, a third of all where packets go
 * one by one. A vhost takes nothing but events.
 */
function device(id: string, { mac, taps, vhosts }: JoinedInterface, accelerator: Accelerator): string {
  const queues = taps.length === 1 ? [] : ['mq=on', `vectors=${vectorsFor(taps.length)}`];
  const events = accelerator === 'tcg' && vhosts.length === 0 ? ['ioeventfd=off'] : [];
  const options = [`mac=${mac}`, ...queues, ...events, 'romfile='];
  return ['virtio-net-pci', `netdev=${id}`, ...options].join(',');
}
