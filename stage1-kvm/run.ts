/** The entrypoint `run`: the process that stage0 was becomes the pod's supervisor, and stays until the pod has ended. */
import {
  KERNEL_PARAMS_ENV,
  LOCK_FD_ENV,
  parseRunArguments,
  type RunArguments,
  VM_IDS_ENV,
} from '../src/abi/stage1.ts';
import { setCloseOnExec } from '../src/native/descriptors.ts';
import { environment } from '../src/native/engine.ts';
import { SystemError } from '../src/native/errors.ts';
import { Loop } from '../src/native/loop.ts';
import { restrictMount } from '../src/native/mount-attributes.ts';
import { mount, ms, unshare } from '../src/native/mounts.ts';
import { changeLink, findLink } from '../src/native/netlink/links.ts';
import { Netlink } from '../src/native/netlink/socket.ts';
import { joinFiles, makePodCgroup, type PodCgroup, removePodCgroup } from '../src/supervisor/cgroup.ts';
import { keepRemoval } from '../src/supervisor/ending.ts';
import { Interruption } from '../src/supervisor/network/interruption.ts';
import type { PodNetwork } from '../src/supervisor/network/pod-network.ts';
import { type FreshLinks, readFreshLinks, readSnapshot } from '../src/supervisor/network/snapshot.ts';
import { readSysctlChanges } from '../src/supervisor/network/sysctl-changes.ts';
import { Report } from '../src/supervisor/report.ts';
import { prepareStatus, recordPid } from '../src/supervisor/status.ts';
import { openUserNamespace } from '../src/supervisor/user-namespace.ts';
import { type Accelerator, chooseAccelerator } from './accelerator.ts';
import { Apps } from './apps.ts';
import { KvmError } from './error.ts';
import { type Host, readHost } from './host.ts';
import { joinHostNetwork } from './host-network-join.ts';
import { allocateId, parseIdRange } from './ids.ts';
import { joinInterfaces, type MachineNetwork, NOT_JOINED } from './interfaces.ts';
import { unenforced } from './isolators.ts';
import type { MachineSetup } from './machine.ts';
import type { NetworkDns } from './names.ts';
import { attachNetworks, planNetworks } from './networks.ts';
import { type Pod, readPod, SHARE_DIRECTORY } from './pod.ts';
import { findPrograms } from './programs.ts';
import { hostMemory, type MachineSize, sizeMachine, sizeSandbox } from './size.ts';
import { refuseSocketActivation } from './socket-activation.ts';
import { Supervision } from './supervision.ts';

/** The exit code of the pod. @throws KvmError, AbiError, SystemError for a pod that cannot be started */
export function run(args: readonly string[]): number {
  const options = parseRunArguments(args);
  const report = new Report('run', options.debug);
  keepLock();
  report.step('supervisor runs', { name: 'supervisor' });
  const pod = readPod(options);
  const networks = planNetworks(options, report);
  refuseSocketActivation(pod.apps);
  const loop = new Loop();
  const apps = new Apps(loop, report, options, pod);
  const host = readHost();
  const { accelerator, warning } = chooseAccelerator(host);
  if (warning !== undefined) report.say(warning);
  recordPid();
  prepareStatus();
  const size = sizeOf(pod, options, host.cpus, accelerator);
  const cgroup = openCgroup(pod, hostMemory(size, accelerator), report);
  let network: PodNetwork | undefined;
  try {
    const ofHost = options.net === 'host' ? joinHostNetwork(pod.apps, report) : undefined;
    if (ofHost !== undefined) apps.names.join([], [{ name: 'host', dns: ofHost.dns }]);
    unshare('network');
    bringLoopbackUp();
    let joined = ofHost ?? NOT_JOINED;
    if (networks !== undefined) {
      const fresh = readFreshLinks();
      network = attachNetworks(pod.uuid, networks, report);
      apps.names.join(network.infos, resolversOf(network));
      joined = joinMachine(fresh, size, report);
      report.step('on its networks', { name: 'network' });
    }
    shareRoots();
    const setup = setUp(pod, options, host, { accelerator, size, network: joined }, cgroup);
    report.step('machine set up', { name: 'set-up' });
    const supervision = new Supervision(loop, report, apps, setup);
    // While the machine starts.
    const sysctls = networks === undefined ? [] : readSysctlChanges(joined.plan.interfaces);
    apps.network = { ...joined.plan, sysctls };
    for (const line of unenforced(pod.manifest)) report.warn(line);
    return supervision.run();
  } catch (error) {
    if (error instanceof Interruption) return 128 + error.signal;
    throw error;
  } finally {
    // What it has made is free for others before anybody can know of the pod's end.
    network?.detach();
    leaveNoCgroup(cgroup, report);
  }
}

function resolversOf({ attached }: PodNetwork): NetworkDns[] {
  return attached.map(({ network, result }) => ({ name: network.list.name, dns: result.dns }));
}

function joinMachine(fresh: FreshLinks, size: MachineSize, report: Report): MachineNetwork {
  const snapshot = readSnapshot(fresh);
  for (const remark of snapshot.remarks) report.warn(remark);
  return joinInterfaces(snapshot, size);
}

/** How the pod has ended is said already: what cannot be removed now is recorded, and `gc` does it. */
function leaveNoCgroup(cgroup: PodCgroup, report: Report): void {
  try {
    removePodCgroup(cgroup);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    report.say(`the pod's control groups are left to gc: ${error.message}`);
  }
}

function sizeOf(
  { manifest, apps }: Pod,
  { mutable }: RunArguments,
  cpus: number,
  accelerator: Accelerator,
): MachineSize {
  if (mutable) return sizeSandbox(manifest, cpus, accelerator);
  const limits = apps.map(({ app }) => app);
  return sizeMachine(limits, cpus, accelerator);
}

/** A child with the pod's lock could unlock it, or outlive us with it. */
function keepLock(): void {
  const fd = Number(environment(LOCK_FD_ENV));
  if (!Number.isSafeInteger(fd) || fd < 3)
    throw new KvmError('bad-pod', `${LOCK_FD_ENV} names no open directory`);
  setCloseOnExec(fd, true);
  keepRemoval();
}

function openCgroup({ uuid }: Pod, memoryBytes: number, report: Report): PodCgroup {
  const cgroup = makePodCgroup(uuid, memoryBytes);
  if (cgroup.kind === 'none') report.warn(`the pod runs without a cgroup of its own: ${cgroup.reason}`);
  return cgroup;
}

/**
 * The root of the share is a mount of its own, and shared, so that what is mounted below later reaches virtiofsd. Set-user-id
 * programs and devices that a guest makes there mean something in the guest, which mounts the share itself; never to the host.
 */
function shareRoots(): void {
  mount({ source: SHARE_DIRECTORY, target: SHARE_DIRECTORY, flags: ms.bind | ms.recursive });
  restrictMount(SHARE_DIRECTORY, 'recursive', 'no-suid', 'no-devices');
  mount({ target: SHARE_DIRECTORY, flags: ms.shared | ms.recursive });
}

function setUp(
  pod: Pod,
  options: RunArguments,
  host: Host,
  {
    network,
    ...machine
  }: { readonly accelerator: Accelerator; readonly size: MachineSize; readonly network: MachineNetwork },
  cgroup: PodCgroup,
): MachineSetup {
  const programs = findPrograms();
  return {
    plan: {
      uuid: pod.uuid,
      ...machine,
      firmware: programs.firmware,
      tscKilohertz: host.tscKilohertz,
      debug: options.debug,
      extraKernelParameters: environment(KERNEL_PARAMS_ENV) ?? '',
      networkArguments: network.qemuArguments,
    },
    programs,
    network,
    id: allocateId(parseIdRange(environment(VM_IDS_ENV))),
    cgroupFiles: joinFiles(cgroup),
    cgroup,
    userNamespace: openUserNamespace(),
  };
}

/** The pod's own network namespace, for what plugins will expect of it. */
function bringLoopbackUp(): void {
  using netlink = new Netlink();
  const loopback = findLink(netlink, 'lo');
  if (loopback !== undefined) changeLink(netlink, loopback.index, { up: true });
}
