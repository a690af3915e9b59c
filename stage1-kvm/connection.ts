/** How a pod comes to its networks, and its machine to the pod's: from the namespace to what the guest is told. */
import type { NetworkPlan } from '../src/abi/network-plan.ts';
import { metadataEnvironment } from '../src/supervisor/metadata.ts';
import { boundNetwork, limitSending } from '../src/supervisor/network/bandwidth.ts';
import {
  enterOwnNetwork,
  type Joining,
  joinNetworks,
  type Leaving,
  NOTHING_TO_LEAVE,
} from '../src/supervisor/network/joining.ts';
import type { NetworksPlan } from '../src/supervisor/network/networks.ts';
import {
  type FreshLinks,
  type NetworkSnapshot,
  readFreshLinks,
  readSnapshot,
} from '../src/supervisor/network/snapshot.ts';
import { readSysctlChanges, SysctlReading } from '../src/supervisor/network/sysctl-changes.ts';
import type { Report } from '../src/supervisor/report.ts';
import { joinHostNetwork } from './host-network-join.ts';
import type { InterfaceFds } from './interface-arguments.ts';
import {
  checkInterfaces,
  type JoinedMachine,
  joinInterfaces,
  joinSpareInterfaces,
  type MachineNetwork,
  NOT_JOINED,
} from './interfaces.ts';

export interface Joined extends Leaving {
  /** So many interfaces that a machine can be saved with. */
  readonly interfaces: number;
  /** To those, and to the host's network where it is that. @throws KvmError */
  join(): MachineNetwork;
  /** By the taps of a machine that is there, which have come to the pod's namespace. @throws SystemError, KvmError; as if it had not been tried then */
  joinTaps(taps: readonly InterfaceFds[]): MachineNetwork;
  /** For the guest. It takes some time, and is to be asked for while the machine starts. */
  plan(): NetworkPlan;
}

/** A machine that may be there before the pod's networks. */
export interface MachineAhead {
  readonly isThere: boolean;
  /** This process is in the pod's network namespace, to which its taps may come, while plugins are at work there. */
  enter(): void;
  /** They have come. Gives their names. */
  arrive(): readonly string[];
}

interface Connecting extends Joining {
  readonly machine: JoinedMachine;
}

/** From here on this process is in the pod's network namespace. @throws SupervisorError, KvmError, Interruption; nothing stays then */
export function connect(
  { pod, options, apps, machine: joined }: Connecting,
  networks: NetworksPlan | undefined,
  ahead: MachineAhead,
  report: Report,
): Joined {
  const ofHost = options.net === 'host' ? joinHostNetwork(pod.apps, report) : undefined;
  if (ofHost !== undefined) {
    apps.names.join([], [{ name: 'host', dns: ofHost.dns }]);
    apps.environment = metadataEnvironment(options, () => ofHost.hostAddress);
    boundNetwork(apps.limits, limitSending, options, report);
  }
  enterOwnNetwork();
  ahead.enter();
  if (networks === undefined) return unattached(ofHost ?? NOT_JOINED);
  const reading = ahead.isThere ? new SysctlReading() : undefined;
  const fresh = readFreshLinks();
  const look = () => lookAt(fresh, ahead, report);
  const { finished: snapshot, ...leaving } = joinNetworks({ pod, options, apps }, networks, report, look);
  const bounded = (machine: MachineNetwork) => {
    boundNetwork(apps.limits, limitSending, options, report);
    return machine;
  };
  // A machine that starts is waited for anyway.
  const { interfaces } = snapshot.plan;
  const sysctls = reading?.goOn(interfaces) ?? (() => readSysctlChanges(interfaces));
  return {
    interfaces: snapshot.links.length,
    join: () => bounded(joinInterfaces(snapshot, joined)),
    joinTaps: (taps) => bounded(joinSpareInterfaces(snapshot, joined, taps)),
    plan: () => ({ ...snapshot.plan, sysctls: sysctls() }),
    ...leaving,
  };
}

function unattached(machine: MachineNetwork): Joined {
  const join = () => machine;
  const plan = () => ({ ...machine.plan, sysctls: [] });
  return { interfaces: machine.interfaces, join, joinTaps: join, plan, ...NOTHING_TO_LEAVE };
}

function lookAt(fresh: FreshLinks, ahead: MachineAhead, report: Report): NetworkSnapshot {
  const taps = new Set(ahead.arrive());
  const snapshot = readSnapshot(fresh, (name) => taps.has(name));
  for (const remark of snapshot.remarks) report.warn(remark);
  checkInterfaces(snapshot);
  return snapshot;
}
