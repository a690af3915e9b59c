/** How fast a pod may send and receive, by each of its interfaces (`resource/network-bandwidth`). */
import type { RunArguments } from '../../abi/stage1.ts';
import { SystemError } from '../../native/errors.ts';
import { changeLink, createLink, findLink, type Link, listLinks } from '../../native/netlink/links.ts';
import { setTokenBucket } from '../../native/netlink/queues.ts';
import { Netlink } from '../../native/netlink/socket.ts';
import { redirectIngress } from '../../native/netlink/traffic.ts';
import { SupervisorError } from '../error.ts';
import type { PodLimits } from '../plan/pod-limits.ts';
import type { Report } from '../report.ts';

/** What may go at once: a tenth of a second's, and no less than what interfaces hand over as one. */
const BURST_SECONDS = 0.1;
const LEAST_BURST_BYTES = 128 * 1024;
const LATENCY_SECONDS = 0.025;

/** Of the kind of pod. @throws SupervisorError `unsupported` in a pod that is strict, where the kernel cannot do that */
export function boundNetwork(
  { networkBytesPerSecond }: PodLimits,
  limit: (bytesPerSecond: number) => void,
  { strictIsolators, net }: Pick<RunArguments, 'strictIsolators' | 'net'>,
  report: Report,
): void {
  if (networkBytesPerSecond === undefined || net === 'none') return;
  const problem =
    net === 'host' ? 'the network is the host’s' : refusalOf(() => limit(networkBytesPerSecond));
  if (problem === undefined) return;
  const line = `pod: resource/network-bandwidth could not be set: ${problem}`;
  if (strictIsolators) throw new SupervisorError('unsupported', line);
  report.warn(line);
}

function refusalOf(action: () => void): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (error instanceof SystemError) return error.message;
    throw error;
  }
}

/**
 * Where the pod's machine is joined to its interfaces by others in the namespace that this process is in: whatever one receives another
 * sends, at this rate.
 */
export function limitSending(bytesPerSecond: number): void {
  using netlink = new Netlink();
  for (const link of interfaces(netlink)) limit(netlink, link, bytesPerSecond);
}

/**
 * Where its apps use the interfaces of the namespace themselves. What one receives has no queue: it goes through a relay, which gives it
 * back. Apps see the relay; they cannot change it without CAP_NET_ADMIN.
 */
export function limitBothWays(bytesPerSecond: number): void {
  using netlink = new Netlink();
  for (const link of interfaces(netlink)) {
    limit(netlink, link, bytesPerSecond);
    const name = `rkt-in${link.index}`;
    createLink(netlink, { kind: 'ifb', name }, { mtu: link.mtu });
    const relay = findLink(netlink, name);
    if (relay === undefined) throw new Error(`interface ${name} is gone`);
    limit(netlink, relay, bytesPerSecond);
    changeLink(netlink, relay.index, { up: true });
    redirectIngress(netlink, link.index, relay.index);
  }
}

function interfaces(netlink: Netlink): Link[] {
  return listLinks(netlink).filter(({ loopback, up }) => !loopback && up);
}

function limit(netlink: Netlink, { index }: Link, bytesPerSecond: number): void {
  const rate = Math.max(1, bytesPerSecond);
  const burst = Math.max(LEAST_BURST_BYTES, Math.floor(rate * BURST_SECONDS));
  setTokenBucket(netlink, index, { rate, burst, latencySeconds: LATENCY_SECONDS });
}
