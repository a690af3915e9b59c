/** The entrypoint `run`: the process that stage0 was becomes the pod's supervisor, and stays until the pod has ended. */
import { KERNEL_PARAMS_ENV, parseRunArguments, type RunArguments, VM_IDS_ENV } from '../src/abi/stage1.ts';
import { environment } from '../src/native/engine.ts';
import { Loop } from '../src/native/loop.ts';
import { restrictMount } from '../src/native/mount-attributes.ts';
import { mount, ms } from '../src/native/mounts.ts';
import { Apps } from '../src/supervisor/apps/apps.ts';
import { joinFiles, type PodCgroup } from '../src/supervisor/cgroup.ts';
import { Interruption } from '../src/supervisor/network/interruption.ts';
import { planNetworks } from '../src/supervisor/network/networks.ts';
import { type Pod, readPod, SHARE_DIRECTORY } from '../src/supervisor/plan/pod.ts';
import type { PodLimits } from '../src/supervisor/plan/pod-limits.ts';
import { refuseSocketActivation } from '../src/supervisor/plan/socket-activation.ts';
import { boundPod } from '../src/supervisor/pod-bounds.ts';
import { Report } from '../src/supervisor/report.ts';
import { keepLock, leaveNoCgroup, openCgroup } from '../src/supervisor/running/holdings.ts';
import { type Start, Supervision } from '../src/supervisor/running/supervision.ts';
import { prepareStatus, recordPid } from '../src/supervisor/status.ts';
import { openUserNamespace } from '../src/supervisor/user-namespace.ts';
import { type Accelerator, chooseAccelerator } from './accelerator.ts';
import { type Connection, connect } from './connection.ts';
import { KvmError } from './error.ts';
import { type Host, readHost } from './host.ts';
import { allocateId, parseIdRange } from './ids.ts';
import type { MachineNetwork } from './interfaces.ts';
import { Machine, type MachineSetup } from './machine.ts';
import { MACHINE_HOUSING } from './plan.ts';
import { findPrograms } from './programs.ts';
import { hostLimits, hostMemory, type MachineSize, sizeMachine, sizeSandbox } from './size.ts';

/** Of the group around the machine; apps have groups of their own inside. */
const CONTROLLERS = ['memory', 'cpu', 'pids'] as const;
const BLOCK_CONTROLLERS = ['io', 'blkio'] as const;
/** A VMM and a file server need some dozens of threads. */
const MOST_PROCESSES = 512;
/** A guest needs one or two seconds; one on a host under load may need many times that. */
const HELLO_SECONDS: Readonly<Record<Accelerator, number>> = { kvm: 30, tcg: 180 };

/** The exit code of the pod. @throws KvmError, AbiError, SystemError for a pod that cannot be started */
export function run(args: readonly string[]): number {
  const options = parseRunArguments(args);
  const report = new Report('run', options.debug);
  keepLock();
  if (options.ipc === 'parent')
    throw new KvmError('unsupported', '--ipc=parent: a virtual machine cannot have the IPC of its host');
  report.step('supervisor runs', { name: 'supervisor' });
  const pod = readPod(options);
  const networks = planNetworks(options, report);
  refuseSocketActivation(pod.apps, 'cannot be handed into a virtual machine');
  const loop = new Loop();
  const apps = new Apps(loop, report, options, pod, MACHINE_HOUSING);
  const host = readHost();
  const { accelerator, warning } = chooseAccelerator(host);
  if (warning !== undefined) report.say(warning);
  recordPid();
  prepareStatus();
  const size = sizeOf(pod, options, host.cpus, accelerator);
  const limits = { processes: MOST_PROCESSES, memoryBytes: hostMemory(size, accelerator) };
  const controllers = controllersFor(apps.limits);
  const cgroup = openCgroup(pod.uuid, { controllers, limits }, report);
  let connection: Connection | undefined;
  try {
    boundPod(cgroup, hostLimits(apps.limits, size), options, report);
    connection = connect({ pod, options, apps, size }, networks, report);
    shareRoots();
    const setup = setUp(pod, options, host, { accelerator, size, network: connection.machine }, cgroup);
    report.step('machine set up', { name: 'set-up' });
    const supervision = new Supervision(loop, report, apps, startOf(setup, cgroup, report));
    // While the machine starts.
    apps.network = connection.plan();
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

/** Each is a directory more on v1: only where it is for something. */
function controllersFor({ blockBytesPerSecond, blockOperationsPerSecond }: PodLimits) {
  const block = blockBytesPerSecond ?? blockOperationsPerSecond;
  return block === undefined ? CONTROLLERS : [...CONTROLLERS, ...BLOCK_CONTROLLERS];
}

function sizeOf(
  { manifest, apps }: Pod,
  { mutable }: RunArguments,
  cpus: number,
  accelerator: Accelerator,
): MachineSize {
  if (mutable) return sizeSandbox(manifest, cpus, accelerator);
  const limits = apps.map(({ app }) => app);
  return sizeMachine(limits, cpus, accelerator, manifest);
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
    userNamespace: openUserNamespace(),
  };
}

function startOf(setup: MachineSetup, cgroup: PodCgroup, report: Report): Start {
  const { accelerator, size, debug } = setup.plan;
  const showLine = debug ? (line: string) => report.say(`console: ${line}`) : undefined;
  return {
    launch: (loop, events) => new Machine(loop, setup, showLine, events),
    helloSeconds: HELLO_SECONDS[accelerator],
    cgroup,
    facts: { accelerator, cpus: size.cpus, memory_bytes: size.memoryMiB * 1024 * 1024, uid: setup.id },
  };
}
