/** The entrypoint `run`: the process that stage0 was becomes the pod's supervisor, and stays until the pod has ended. */
import { type IpcMode, parseRunArguments } from '../src/abi/stage1.ts';
import { readTextIfPresent } from '../src/native/contents.ts';
import { Loop } from '../src/native/loop.ts';
import { allowMount, restrictMount } from '../src/native/mount-attributes.ts';
import { mount, ms, type NamespaceKind } from '../src/native/mounts.ts';
import { parseResolvConf } from '../src/net/cni/resolv-conf.ts';
import { Apps } from '../src/supervisor/apps/apps.ts';
import type { PodCgroup } from '../src/supervisor/cgroup.ts';
import { metadataEnvironment } from '../src/supervisor/metadata.ts';
import { boundNetwork, limitBothWays } from '../src/supervisor/network/bandwidth.ts';
import { Interruption } from '../src/supervisor/network/interruption.ts';
import { enterOwnNetwork, type Joining, joinNetworks } from '../src/supervisor/network/joining.ts';
import { type NetworksPlan, planNetworks } from '../src/supervisor/network/networks.ts';
import { readPod, SHARE_DIRECTORY } from '../src/supervisor/plan/pod.ts';
import { refuseSocketActivation } from '../src/supervisor/plan/socket-activation.ts';
import { boundPod } from '../src/supervisor/pod-bounds.ts';
import { Report } from '../src/supervisor/report.ts';
import { keepLock, leaveNoCgroup, openCgroup } from '../src/supervisor/running/holdings.ts';
import { type Start, Supervision } from '../src/supervisor/running/supervision.ts';
import { prepareStatus, recordPid } from '../src/supervisor/status.ts';
import { Namespaces } from './namespaces.ts';
import { CGROUP, HOUSING } from './surroundings.ts';

/** PID 1 answers within milliseconds; on a host under load it may need many times that. */
const HELLO_SECONDS = 30;
const LOCALHOST = '127.0.0.1';

/** The exit code of the pod. @throws SupervisorError, AbiError, SystemError for a pod that cannot be started */
export function run(args: readonly string[]): number {
  const options = parseRunArguments(args);
  const report = new Report('run', options.debug);
  keepLock();
  report.step('supervisor runs', { name: 'supervisor' });
  const pod = readPod(options);
  const networks = planNetworks(options, report);
  refuseSocketActivation(pod.apps, 'stage1-ns does not hand on');
  const loop = new Loop();
  const apps = new Apps(loop, report, options, pod, HOUSING);
  recordPid();
  prepareStatus();
  const cgroup = openCgroup(pod.uuid, CGROUP, report);
  let detach = () => {};
  try {
    boundPod(cgroup, apps.limits, options, report);
    detach = connect({ pod, options, apps }, networks, report);
    shareRoots();
    report.step('namespaces set up', { name: 'set-up' });
    return new Supervision(loop, report, apps, startOf(cgroup, options.ipc)).run();
  } catch (error) {
    if (error instanceof Interruption) return 128 + error.signal;
    throw error;
  } finally {
    // What it has made is free for others before anybody can know of the pod's end.
    detach();
    leaveNoCgroup(cgroup, report);
  }
}

function startOf(cgroup: PodCgroup, ipc: IpcMode): Start {
  const kinds: readonly NamespaceKind[] = ipc === 'parent' ? [] : ['ipc'];
  return {
    launch: (loop, events) => new Namespaces(loop, { cgroup, kinds }, events),
    helloSeconds: HELLO_SECONDS,
    cgroup,
    facts: undefined,
  };
}

/** PID 1 begins in the network namespace that this process is in, where plugins have left all as it is to be. Gives how to leave. */
function connect(joining: Joining, networks: NetworksPlan | undefined, report: Report): () => void {
  const { apps, options } = joining;
  if (options.net === 'host') {
    const dns = parseResolvConf(readTextIfPresent('/etc/resolv.conf') ?? '');
    apps.names.join([], [{ name: 'host', dns }]);
    apps.environment = metadataEnvironment(options, () => LOCALHOST);
    boundNetwork(apps.limits, limitBothWays, options, report);
    return () => {};
  }
  enterOwnNetwork();
  if (networks === undefined) return () => {};
  const limit = () => boundNetwork(apps.limits, limitBothWays, options, report);
  return joinNetworks(joining, networks, report, limit).detach;
}

/**
 * The directory of the apps' roots is a mount of its own, and shared, so that what is mounted below later reaches PID 1. Nothing there is
 * a device of the host's; set-user-id programs are the apps' own affair, as they can reach nothing else.
 */
function shareRoots(): void {
  mount({ source: SHARE_DIRECTORY, target: SHARE_DIRECTORY, flags: ms.bind | ms.recursive });
  restrictMount(SHARE_DIRECTORY, 'recursive', 'no-devices');
  allowMount(SHARE_DIRECTORY, 'recursive', 'no-suid');
  mount({ target: SHARE_DIRECTORY, flags: ms.shared | ms.recursive });
}
