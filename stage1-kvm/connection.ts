/** How a pod comes to its networks, and its machine to the pod's: from the namespace to what the guest is told. */
import type { NetworkPlan } from '../src/abi/network-plan.ts';
import { metadataEnvironment } from '../src/supervisor/metadata.ts';
import { boundNetwork, limitSending } from '../src/supervisor/network/bandwidth.ts';
import { enterOwnNetwork, type Joining, joinNetworks } from '../src/supervisor/network/joining.ts';
import type { NetworksPlan } from '../src/supervisor/network/networks.ts';
import {
  type FreshLinks,
  type NetworkSnapshot,
  readFreshLinks,
  readSnapshot,
} from '../src/supervisor/network/snapshot.ts';
import { readSysctlChanges } from '../src/supervisor/network/sysctl-changes.ts';
import type { Report } from '../src/supervisor/report.ts';
import { joinHostNetwork } from './host-network-join.ts';
import {
  checkInterfaces,
  type JoinedMachine,
  joinInterfaces,
  joinSpareInterfaces,
  type MachineNetwork,
  NOT_JOINED,
} from './interfaces.ts';
import type { Spare } from './spare-taking.ts';

export interface Joined {
  /** So many interfaces that a machine can be saved with. */
  readonly interfaces: number;
  /** To those, and to the host's network where it is that. @throws KvmError */
  join(): MachineNetwork;
  /** By the taps of a machine that is there. @throws SystemError, KvmError; as if it had not been tried then */
  joinSpare(spare: Pick<Spare, 'interfaces' | 'moveTaps'>): MachineNetwork;
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
  const look = () => lookAt(fresh, report);
  const { finished: snapshot, detach } = joinNetworks({ pod, options, apps }, networks, report, look);
  const bounded = (machine: MachineNetwork) => {
    boundNetwork(apps.limits, limitSending, options, report);
    return machine;
  };
  return {
    interfaces: snapshot.links.length,
    join: () => bounded(joinInterfaces(snapshot, joined)),
    joinSpare({ interfaces, moveTaps }) {
      moveTaps();
      return bounded(joinSpareInterfaces(snapshot, joined, interfaces));
    },
    plan: () => ({ ...snapshot.plan, sysctls: readSysctlChanges(snapshot.plan.interfaces) }),
    detach,
  };
}

function unattached(machine: MachineNetwork): Joined {
  const { interfaces } = machine;
  const join = () => machine;
  return {
    interfaces,
    join,
    joinSpare: join,
    plan: () => ({ ...machine.plan, sysctls: [] }),
    detach: () => {},
  };
}

function lookAt(fresh: FreshLinks, report: Report): NetworkSnapshot {
  const snapshot = readSnapshot(fresh);
  for (const remark of snapshot.remarks) report.warn(remark);
  checkInterfaces(snapshot);
  return snapshot;
}
