/** Where a pod reaches its host. */
import { listAddresses } from '../../native/netlink/addresses.ts';
import { Netlink } from '../../native/netlink/socket.ts';
import type { CniResult } from '../../net/cni/result.ts';
import { SupervisorError } from '../error.ts';
import type { HostSide } from './host-side.ts';
import type { AttachedNetwork } from './pod-network.ts';

/**
 * An address of the host that one of the pod's networks leads to: its gateway, mostly. Some networks have one elsewhere, or none.
 * @throws SupervisorError `bad-network`
 */
export function hostAddress(host: HostSide, networks: readonly AttachedNetwork[]): string {
  const own = host.inNetwork(() => {
    using netlink = new Netlink();
    return new Set(listAddresses(netlink).map(({ address }) => address));
  });
  const found = networks.flatMap(({ result }) => gatewaysOf(result)).find((gateway) => own.has(gateway));
  if (found !== undefined) return found;
  const names = networks.map(({ network }) => network.list.name).join(', ');
  throw new SupervisorError(
    'bad-network',
    `--mds-register: the metadata service cannot be reached: none of the pod's networks (${names}) has an address of the host for its gateway`,
  );
}

/** In the order of the networks; an address of a link alone means nothing in a URL. */
export function gatewaysOf({ ips, routes }: CniResult): string[] {
  const all = [...ips.map(({ gateway }) => gateway), ...routes.map(({ gw }) => gw)];
  return all.filter((gateway) => gateway !== undefined).filter((gateway) => !/^fe[89ab]/i.test(gateway));
}
