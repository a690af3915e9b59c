/** The entrypoint `run`: what of leading a pod is a matter of namespaces. */
import { NO_NETWORK } from '../src/abi/network-plan.ts';
import type { IpcMode } from '../src/abi/stage1.ts';
import { readTextIfPresent } from '../src/native/contents.ts';
import { close } from '../src/native/files.ts';
import { allowMount, restrictMount } from '../src/native/mount-attributes.ts';
import { mount, ms, type NamespaceKind } from '../src/native/mounts.ts';
import { parseResolvConf } from '../src/net/cni/resolv-conf.ts';
import { giveCgroup, type PodCgroup } from '../src/supervisor/cgroup.ts';
import { boundDevices } from '../src/supervisor/device-bounds.ts';
import { SupervisorError } from '../src/supervisor/error.ts';
import { metadataEnvironment } from '../src/supervisor/metadata.ts';
import { boundNetwork, limitBothWays } from '../src/supervisor/network/bandwidth.ts';
import {
  enterOwnNetwork,
  joinNetworks,
  type Leaving,
  NOTHING_TO_LEAVE,
} from '../src/supervisor/network/joining.ts';
import type { NetworksPlan } from '../src/supervisor/network/networks.ts';
import { SHARE_DIRECTORY } from '../src/supervisor/plan/pod.ts';
import { type Leading, leadPod, type Prepared } from '../src/supervisor/running/leading.ts';
import type { Start } from '../src/supervisor/running/supervision.ts';
import { openPrivateNamespaces } from '../src/supervisor/user-namespace.ts';
import { Namespaces, type PrivateUsers } from './namespaces.ts';
import { raisedLimits } from './raised-limits.ts';
import { CGROUP, HOUSING } from './surroundings.ts';

/** PID 1 answers within milliseconds; on a host under load it may need many times that. */
const HELLO_SECONDS = 30;
const LOCALHOST = '127.0.0.1';

/** The exit code of the pod. @throws SupervisorError, AbiError, SystemError for a pod that cannot be started */
export function run(args: readonly string[]): number {
  return leadPod(args, { housing: HOUSING, socketRefusal: 'stage1-ns does not hand on', prepare });
}

function prepare(leading: Leading): Prepared {
  const owned = ownUsers(leading);
  const setUp = (cgroup: PodCgroup) => {
    shareRoots();
    leading.apps.volumes.attach();
    if (owned !== undefined) giveAway(cgroup, owned.root, leading);
    return startOf(cgroup, leading.options.ipc, owned);
  };
  return {
    cgroup: CGROUP,
    limits: leading.apps.limits,
    // What plugins have left PID 1 finds: it is told of nothing.
    connect: (networks, cgroup) => {
      const leaving = connect(leading, networks, owned);
      return { setUp: () => setUp(cgroup), plan: () => NO_NETWORK, ...leaving };
    },
  };
}

interface OwnUsers extends PrivateUsers {
  /** A network namespace of theirs. */
  readonly network: number;
}

/** @throws SupervisorError `unsupported` for what a pod with users of its own cannot share with the host */
function ownUsers({ options, pod }: Leading): OwnUsers | undefined {
  const { privateUsers, net, ipc } = options;
  if (privateUsers === null) return undefined;
  const shared = net === 'host' ? '--net=host' : ipc === 'parent' ? '--ipc=parent' : undefined;
  if (shared !== undefined)
    throw new SupervisorError(
      'unsupported',
      `--private-users does not go with ${shared}: what is the host's users' the pod's have no part in`,
    );
  const limits = raisedLimits(pod.apps.map(({ app }) => app));
  return { ...openPrivateNamespaces(privateUsers), root: privateUsers.first, limits };
}

/** What PID 1 has a hand in, and what it may not say itself. */
function giveAway(cgroup: PodCgroup, root: number, { apps, options, report }: Leading): void {
  const { disablePaths, strictIsolators } = options;
  const bounds = { devices: apps.volumes.devices, strict: strictIsolators };
  if (!disablePaths) boundDevices(cgroup, bounds, (message) => report.warn(message));
  giveCgroup(cgroup, root);
}

function startOf(cgroup: PodCgroup, ipc: IpcMode, privateUsers: PrivateUsers | undefined): Start {
  const kinds: readonly NamespaceKind[] = ipc === 'parent' ? [] : ['ipc'];
  return {
    launch(loop, events) {
      try {
        return new Namespaces(loop, { cgroup, kinds, privateUsers }, events);
      } finally {
        // PID 1 is in it.
        if (privateUsers !== undefined) close(privateUsers.users);
      }
    },
    helloSeconds: HELLO_SECONDS,
    cgroup,
    facts: undefined,
  };
}

/** PID 1 begins in the network namespace that this process is in, where plugins have left all as it is to be. Gives how to leave. */
function connect(leading: Leading, networks: NetworksPlan | undefined, owned: OwnUsers | undefined): Leaving {
  const { apps, options, report } = leading;
  if (options.net === 'host') {
    const dns = parseResolvConf(readTextIfPresent('/etc/resolv.conf') ?? '');
    apps.names.join([], [{ name: 'host', dns }]);
    apps.environment = metadataEnvironment(options, () => LOCALHOST);
    boundNetwork(apps.limits, limitBothWays, options, report);
    return NOTHING_TO_LEAVE;
  }
  enterOwnNetwork(owned?.network);
  if (owned !== undefined) close(owned.network);
  if (networks === undefined) return NOTHING_TO_LEAVE;
  const limit = () => boundNetwork(apps.limits, limitBothWays, options, report);
  return joinNetworks(leading, networks, report, limit);
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
