/** How a pod comes to its networks, and its machine to the pod's: from the namespace to what the guest is told. */
import type { NetworkPlan } from '../src/abi/network-plan.ts';
import { metadataEnvironment } from '../src/supervisor/metadata.ts';
import { boundNetwork, limitSending } from '../src/supervisor/network/bandwidth.ts';
import { enterOwnNetwork, type Joining, joinNetworks } from '../src/supervisor/network/joining.ts';
import type { NetworksPlan } from '../src/supervisor/network/networks.ts';
import { type FreshLinks, readFreshLinks, readSnapshot } from '../src/supervisor/network/snapshot.ts';
import { readSysctlChanges } from '../src/supervisor/network/sysctl-changes.ts';
import type { Report } from '../src/supervisor/report.ts';
import { joinHostNetwork } from './host-network-join.ts';
import { type JoinedMachine, joinInterfaces, type MachineNetwork, NOT_JOINED } from './interfaces.ts';

interface Joined {
  readonly machine: MachineNetwork;
  /** For the guest. It takes some time, and is to be asked for while the machine starts. */
  plan(): NetworkPlan;
  /** What plugins have made goes. */
  detach(): void;
}

interface Connecting extends Joining {
  readonly machine: JoinedMachine;
}

/** From here on this process is in the pod's network namespace. @throws SupervisorError, KvmError, Interruption; nothing stays then */
export function connect(
  { pod, options, apps, machine: joined }: Connecting,
  networks: NetworksPlan | undefined,
  report: Report,
): Joined {
  const ofHost = options.net === 'host' ? joinHostNetwork(pod.apps, report) : undefined;
  if (ofHost !== undefined) {
    apps.names.join([], [{ name: 'host', dns: ofHost.dns }]);
    apps.environment = metadataEnvironment(options, () => ofHost.hostAddress);
    boundNetwork(apps.limits, limitSending, options, report);
  }
  enterOwnNetwork();
  if (networks === undefined) return unattached(ofHost ?? NOT_JOINED);
  const fresh = readFreshLinks();
  const join = () => {
    const machine = joinMachine(fresh, joined, report);
    boundNetwork(apps.limits, limitSending, options, report);
    return machine;
  };
  const { finished: machine, detach } = joinNetworks({ pod, options, apps }, networks, report, join);
  const plan = () => ({ ...machine.plan, sysctls: readSysctlChanges(machine.plan.interfaces) });
  return { machine, plan, detach };
}

function unattached(machine: MachineNetwork): Joined {
  return { machine, plan: () => ({ ...machine.plan, sysctls: [] }), detach: () => {} };
}

function joinMachine(fresh: FreshLinks, joined: JoinedMachine, report: Report): MachineNetwork {
  const snapshot = readSnapshot(fresh);
  for (const remark of snapshot.remarks) report.warn(remark);
  return joinInterfaces(snapshot, joined);
}
