/** The entrypoint `run` of any stage1: the process that stage0 was becomes the pod's supervisor, and stays until the pod has ended. */
import type { NetworkPlan } from '../../abi/network-plan.ts';
import { parseRunArguments, type RunArguments } from '../../abi/stage1.ts';
import { Loop } from '../../native/loop.ts';
import { Apps } from '../apps/apps.ts';
import type { CgroupWishes, PodCgroup } from '../cgroup.ts';
import { Interruption } from '../network/interruption.ts';
import type { Leaving } from '../network/joining.ts';
import { type NetworksPlan, planNetworks } from '../network/networks.ts';
import type { Housing } from '../plan/plan.ts';
import { type Pod, readPod } from '../plan/pod.ts';
import type { PodLimits } from '../plan/pod-limits.ts';
import { refuseSocketActivation } from '../plan/socket-activation.ts';
import { boundPod } from '../pod-bounds.ts';
import { Report } from '../report.ts';
import { prepareStatus, recordPid } from '../status.ts';
import { keepLock, leaveNoCgroup, openCgroup } from './holdings.ts';
import { type Start, Supervision } from './supervision.ts';

/** What a pod's start is about. */
export interface Leading {
  readonly options: RunArguments;
  readonly report: Report;
  readonly pod: Pod;
  readonly apps: Apps;
}

/** What of a pod's life is a matter of what it lives in. */
export interface Flavour {
  readonly housing: Housing;
  /** A socket of the service manager's it ...: why apps do not get one. */
  readonly socketRefusal: string;
  /** Before anything is made. @throws for a pod that it cannot have */
  prepare(leading: Leading): Prepared;
}

export interface Prepared {
  readonly cgroup: CgroupWishes;
  /** Of the pod as a whole, on the host. */
  readonly limits: PodLimits;
  /** From there on this process is in the network namespace that is the pod's. @throws; nothing stays then */
  connect(networks: NetworksPlan | undefined, cgroup: PodCgroup): Connection;
}

export interface Connection extends Leaving {
  setUp(): Start;
  /** For PID 1. It may take some time, and is asked for while that starts. */
  plan(): NetworkPlan;
}

/** The exit code of the pod. @throws SupervisorError, AbiError, SystemError, and what the flavour throws, for a pod that cannot be started */
export function leadPod(args: readonly string[], { housing, socketRefusal, prepare }: Flavour): number {
  const options = parseRunArguments(args);
  const report = new Report('run', options.debug);
  keepLock();
  report.step('supervisor runs', { name: 'supervisor' });
  const pod = readPod(options);
  const networks = planNetworks(options, report);
  refuseSocketActivation(pod.apps, socketRefusal);
  const loop = new Loop();
  const apps = new Apps(loop, report, options, pod, housing);
  apps.volumes.open();
  const { cgroup: wishes, limits, connect } = prepare({ options, report, pod, apps });
  recordPid();
  prepareStatus();
  const cgroup = openCgroup(pod.uuid, wishes, report);
  let connection: Connection | undefined;
  try {
    boundPod(cgroup, limits, options, report);
    const joined = connect(networks, cgroup);
    connection = joined;
    const start = joined.setUp();
    report.step('set up', { name: 'set-up' });
    const supervision = new Supervision(loop, report, apps, start, () => joined.beginDetaching());
    apps.network = joined.plan();
    return supervision.run();
  } catch (error) {
    if (error instanceof Interruption) return 128 + error.signal;
    throw error;
  } finally {
    // What it has made is free for others before anybody can know of the pod's end.
    connection?.detach();
    leaveNoCgroup(cgroup, report);
    report.step('nothing is left');
  }
}
