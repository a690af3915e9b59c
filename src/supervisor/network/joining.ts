/** How a pod comes to networks of its own, whatever it lives in. */
import type { RunArguments } from '../../abi/stage1.ts';
import { setNamespace, unshare } from '../../native/mounts.ts';
import { changeLink, findLink } from '../../native/netlink/links.ts';
import { Netlink } from '../../native/netlink/socket.ts';
import type { Apps } from '../apps/apps.ts';
import { metadataEnvironment } from '../metadata.ts';
import type { Pod } from '../plan/pod.ts';
import type { Report } from '../report.ts';
import { hostAddress } from './host-address.ts';
import type { NetworkDns } from './names.ts';
import { attachNetworks, type NetworksPlan } from './networks.ts';
import type { PodNetwork } from './pod-network.ts';

export interface Joining {
  readonly pod: Pod;
  readonly options: RunArguments;
  readonly apps: Apps;
}

/** How a pod leaves its networks. */
export interface Leaving {
  /** Nobody uses them any more: what plugins have made begins to go, while this process goes on. */
  beginDetaching(): void;
  /** It has gone. */
  detach(): void;
}

export const NOTHING_TO_LEAVE: Leaving = { beginDetaching() {}, detach() {} };

/** From here on this process is in a network namespace that is the pod's alone, `made` already or not, set up as plugins expect it. */
export function enterOwnNetwork(made?: number): void {
  if (made === undefined) unshare('network');
  else setNamespace(made, 'network');
  using netlink = new Netlink();
  const loopback = findLink(netlink, 'lo');
  if (loopback !== undefined) changeLink(netlink, loopback.index, { up: true });
}

/**
 * Attaches the pod, whose namespace this process is in, and has its apps know what comes of that; then `finish`, for what the pod lives
 * in. @throws SupervisorError, Interruption, and what `finish` throws; nothing stays then
 */
export function joinNetworks<T>(
  { pod, options, apps }: Joining,
  networks: NetworksPlan,
  report: Report,
  finish: () => T,
): { readonly finished: T } & Leaving {
  const network = attachNetworks(pod.uuid, networks, report);
  try {
    apps.names.join(network.infos, resolversOf(network));
    apps.environment = metadataEnvironment(options, () => hostAddress(networks.host, network.attached));
    const finished = finish();
    report.step('on its networks', { name: 'network' });
    return { finished, beginDetaching: () => network.beginDetaching(), detach: () => network.detach() };
  } catch (error) {
    network.detach();
    throw error;
  }
}

function resolversOf({ attached }: PodNetwork): NetworkDns[] {
  return attached.map(({ network, result }) => ({ name: network.list.name, dns: result.dns }));
}
