/** How a pod comes to its networks, and its machine to the pod's: from the namespace to what the guest is told. */
import type { NetworkPlan } from '../src/abi/network-plan.ts';
import type { RunArguments } from '../src/abi/stage1.ts';
import { unshare } from '../src/native/mounts.ts';
import { changeLink, findLink } from '../src/native/netlink/links.ts';
import { Netlink } from '../src/native/netlink/socket.ts';
import type { Apps } from '../src/supervisor/apps/apps.ts';
import { metadataEnvironment } from '../src/supervisor/metadata.ts';
import { hostAddress } from '../src/supervisor/network/host-address.ts';
import type { NetworkDns } from '../src/supervisor/network/names.ts';
import { attachNetworks, type NetworksPlan } from '../src/supervisor/network/networks.ts';
import type { PodNetwork } from '../src/supervisor/network/pod-network.ts';
import { type FreshLinks, readFreshLinks, readSnapshot } from '../src/supervisor/network/snapshot.ts';
import { readSysctlChanges } from '../src/supervisor/network/sysctl-changes.ts';
import type { Pod } from '../src/supervisor/plan/pod.ts';
import type { Report } from '../src/supervisor/report.ts';
import { joinHostNetwork } from './host-network-join.ts';
import { joinInterfaces, type MachineNetwork, NOT_JOINED } from './interfaces.ts';
import type { MachineSize } from './size.ts';

export interface Connection {
  readonly machine: MachineNetwork;
  /** For the guest. It takes some time, and is to be asked for while the machine starts. */
  plan(): NetworkPlan;
  /** What plugins have made goes. */
  detach(): void;
}

export interface Connecting {
  readonly pod: Pod;
  readonly options: RunArguments;
  readonly apps: Apps;
  readonly size: MachineSize;
}

/** From here on this process is in the pod's network namespace. @throws SupervisorError, KvmError, Interruption; nothing stays then */
export function connect(
  { pod, options, apps, size }: Connecting,
  networks: NetworksPlan | undefined,
  report: Report,
): Connection {
  const ofHost = options.net === 'host' ? joinHostNetwork(pod.apps, report) : undefined;
  if (ofHost !== undefined) {
    apps.names.join([], [{ name: 'host', dns: ofHost.dns }]);
    apps.environment = metadataEnvironment(options, () => ofHost.hostAddress);
  }
  unshare('network');
  bringLoopbackUp();
  if (networks === undefined) return unattached(ofHost ?? NOT_JOINED);
  const fresh = readFreshLinks();
  const network = attachNetworks(pod.uuid, networks, report);
  try {
    apps.names.join(network.infos, resolversOf(network));
    apps.environment = metadataEnvironment(options, () => hostAddress(networks.host, network.attached));
    const machine = joinMachine(fresh, size, report);
    report.step('on its networks', { name: 'network' });
    const plan = () => ({ ...machine.plan, sysctls: readSysctlChanges(machine.plan.interfaces) });
    return { machine, plan, detach: () => network.detach() };
  } catch (error) {
    network.detach();
    throw error;
  }
}

function unattached(machine: MachineNetwork): Connection {
  return { machine, plan: () => ({ ...machine.plan, sysctls: [] }), detach: () => {} };
}

/** The pod's own network namespace, for what plugins will expect of it. */
function bringLoopbackUp(): void {
  using netlink = new Netlink();
  const loopback = findLink(netlink, 'lo');
  if (loopback !== undefined) changeLink(netlink, loopback.index, { up: true });
}

function resolversOf({ attached }: PodNetwork): NetworkDns[] {
  return attached.map(({ network, result }) => ({ name: network.list.name, dns: result.dns }));
}

function joinMachine(fresh: FreshLinks, size: MachineSize, report: Report): MachineNetwork {
  const snapshot = readSnapshot(fresh);
  for (const remark of snapshot.remarks) report.warn(remark);
  return joinInterfaces(snapshot, size);
}
