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
import { mount, ms } from '../src/native/mounts.ts';
import { joinFiles, makePodCgroup, type PodCgroup, removePodCgroup } from '../src/supervisor/cgroup.ts';
import { keepRemoval } from '../src/supervisor/ending.ts';
import { Interruption } from '../src/supervisor/network/interruption.ts';
import { Report } from '../src/supervisor/report.ts';
import { prepareStatus, recordPid } from '../src/supervisor/status.ts';
import { openUserNamespace } from '../src/supervisor/user-namespace.ts';
import { type Accelerator, chooseAccelerator } from './accelerator.ts';
import { Apps } from './apps.ts';
import { type Connection, connect } from './connection.ts';
import { KvmError } from './error.ts';
import { type Host, readHost } from './host.ts';
import { allocateId, parseIdRange } from './ids.ts';
import type { MachineNetwork } from './interfaces.ts';
import { unenforced } from './isolators.ts';
import type { MachineSetup } from './machine.ts';
import { planNetworks } from './networks.ts';
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
  let connection: Connection | undefined;
  try {
    connection = connect({ pod, options, apps, size }, networks, report);
    shareRoots();
    const setup = setUp(pod, options, host, { accelerator, size, network: connection.machine }, cgroup);
    report.step('machine set up', { name: 'set-up' });
    const supervision = new Supervision(loop, report, apps, setup);
    // While the machine starts.
    apps.network = connection.plan();
    for (const line of unenforced(pod.manifest)) report.warn(line);
    return supervision.run();
  } catch (error) {
    if (error instanceof Interruption) return 128 + error.signal;
    throw error;
  } finally {
    // What it has made is free for others before anybody can know of the pod's end.
    connection?.detach();
    leaveNoCgroup(cgroup, report);
  }
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
