/** The entrypoint `run`: what of leading a pod is a matter of its machine. */
import { POD } from '../src/abi/pod-directory.ts';
import type { PodRootsPlan } from '../src/abi/root-disks.ts';
import { KERNEL_PARAMS_ENV, type RunArguments, VM_IDS_ENV } from '../src/abi/stage1.ts';
import type { SavedDevices } from '../src/abi/templates.ts';
import { readTextIfPresent } from '../src/native/contents.ts';
import { environment } from '../src/native/engine.ts';
import { restrictMount } from '../src/native/mount-attributes.ts';
import { mount, ms } from '../src/native/mounts.ts';
import { joinFiles, type PodCgroup } from '../src/supervisor/cgroup.ts';
import { type Pod, SHARE_DIRECTORY } from '../src/supervisor/plan/pod.ts';
import type { PodLimits } from '../src/supervisor/plan/pod-limits.ts';
import type { Report } from '../src/supervisor/report.ts';
import { type Leading, leadPod, type Prepared } from '../src/supervisor/running/leading.ts';
import type { Start } from '../src/supervisor/running/supervision.ts';
import { openUserNamespace } from '../src/supervisor/user-namespace.ts';
import type { MachineDisk } from '../src/supervisor/volumes/made-volumes.ts';
import { type Accelerator, chooseAccelerator } from './accelerator.ts';
import { Beginning } from './beginning.ts';
import { connect } from './connection.ts';
import { diskArguments } from './disks.ts';
import { KvmError } from './error.ts';
import { type Host, readHost } from './host.ts';
import { allocateId, parseIdRange } from './ids.ts';
import type { MachineNetwork } from './interfaces.ts';
import { Machine } from './machine.ts';
import type { MachineSetup } from './machine-setup.ts';
import { type MachineFiles, machineFiles, machineHousing } from './plan.ts';
import { findPrograms, type Programs } from './programs.ts';
import { openImageDisks, openScratch, readPodRoots, scratchDisk } from './root-disks.ts';
import { hostLimits, hostMemory, type MachineSize, sizeMachine, sizeSandbox } from './size.ts';
import type { Spare } from './spare-taking.ts';
import { QEMU_ROOT_PLACE } from './starting.ts';
import { keepSpareInBackground, saveInBackground, type TemplateChoice } from './template-choice.ts';
import type { OpenTemplate } from './template-store.ts';
import { QEMU_FDS, type ShareCache } from './vmm.ts';

/** Of the group around the machine; apps have groups of their own inside. */
const CONTROLLERS = ['memory', 'cpu', 'pids'] as const;
const BLOCK_CONTROLLERS = ['io', 'blkio'] as const;
/** A VMM and a file server need some dozens of threads. */
const MOST_PROCESSES = 512;
/** A guest needs one or two seconds; one on a host under load may need many times that. */
const HELLO_SECONDS: Readonly<Record<Accelerator, number>> = { kvm: 30, tcg: 180 };

/** The exit code of the pod. @throws KvmError, SupervisorError, AbiError, SystemError for a pod that cannot be started */
export function run(args: readonly string[]): number {
  const files = machineFiles(readPodRoots());
  return leadPod(args, {
    housing: machineHousing(files, () => chooseAccelerator(readHost()).accelerator),
    socketRefusal: 'cannot be handed into a virtual machine',
    prepare: (leading) => prepare(leading, files),
  });
}

function prepare(leading: Leading, { roots, hasShare }: MachineFiles): Prepared {
  const { options, report, pod, apps } = leading;
  if (options.ipc === 'parent')
    throw new KvmError('unsupported', '--ipc=parent: a virtual machine cannot have the IPC of its host');
  if (readTextIfPresent(POD.privateUsers) !== undefined)
    report.say('--private-users: root of a virtual machine is no user of the host in any case');
  if (roots.kind === 'virtiofs') report.step(`roots are shared by virtio-fs: ${roots.reason}`);
  const host = readHost();
  const { accelerator, warning } = chooseAccelerator(host);
  if (warning !== undefined) report.say(warning);
  const size = sizeOf(pod, options, host.cpus, accelerator);
  return {
    cgroup: {
      controllers: controllersFor(apps.limits),
      limits: { processes: MOST_PROCESSES, memoryBytes: hostMemory(size, accelerator) },
    },
    limits: hostLimits(apps.limits, size),
    connect(networks, cgroup) {
      const images = roots.kind === 'block' ? openImageDisks(roots) : [];
      const programs = findPrograms(hasShare);
      const order = {
        ...{ machine: { accelerator, size }, qemu: programs.qemu, cgroup },
        disks: [...apps.volumes.disks, ...images],
        scratchBytes: roots.kind === 'block' ? roots.scratchBytes : null,
        mayTake: !hasShare && options.net !== 'host',
      };
      const beginning = new Beginning(order, networks?.networks.length ?? 0, report);
      const joined = { cpus: size.cpus, accelerator };
      const connection = connect({ ...leading, machine: joined }, networks, beginning, report);
      const setUpMachine = () => {
        const share = hasShare ? openShare(apps) : undefined;
        const network = beginning.join(connection);
        const { spare, template, devices } = beginning;
        const disks = [...order.disks, ...scratchOf(roots, beginning)];
        const parts = { accelerator, size, network, disks, devices, share, spare };
        const setup = setUp(pod, options, host, { ...parts, programs, template: template.open }, cgroup);
        return startOf(setup, cgroup, report, template);
      };
      return { ...connection, setUp: setUpMachine };
    },
  };
}

function scratchOf(roots: PodRootsPlan, { spare, template }: Beginning): MachineDisk[] {
  if (roots.kind !== 'block') return [];
  return [spare ? scratchDisk(spare.scratch) : openScratch(roots, template.open?.scratch)];
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

function openShare({ volumes }: Leading['apps']): ShareCache {
  shareRoots();
  volumes.attach();
  return volumes.isShared ? 'auto' : 'always';
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
    disks,
    devices,
    share,
    programs,
    template,
    spare,
    ...machine
  }: {
    readonly accelerator: Accelerator;
    readonly size: MachineSize;
    readonly network: MachineNetwork;
    readonly disks: readonly MachineDisk[];
    readonly devices: SavedDevices;
    readonly share: ShareCache | undefined;
    readonly programs: Programs;
    readonly template: OpenTemplate | undefined;
    readonly spare: Spare | undefined;
  },
  cgroup: PodCgroup,
): MachineSetup {
  const ofDisks = diskArguments(disks, QEMU_FDS.length + network.fds.length);
  // Those that a machine was saved with come first.
  const deviceArguments =
    network.host === undefined
      ? [...network.qemuArguments, ...ofDisks]
      : [...ofDisks, ...network.qemuArguments];
  checkDevices(deviceArguments);
  return {
    plan: {
      uuid: pod.uuid,
      ...machine,
      firmware: programs.firmware,
      tscKilohertz: host.tscKilohertz,
      debug: options.debug,
      extraKernelParameters: environment(KERNEL_PARAMS_ENV) ?? '',
      hasShare: share !== undefined,
      deviceArguments,
    },
    programs,
    share,
    network,
    disks,
    hasMore: share !== undefined || network.host !== undefined || devices.disks.length < disks.length,
    template,
    spare,
    rootPlace: QEMU_ROOT_PLACE,
    id: spare?.id ?? allocateId(parseIdRange(environment(VM_IDS_ENV))),
    cgroupFiles: joinFiles(cgroup),
    userNamespace: share === undefined ? undefined : openUserNamespace(),
  };
}

/** The machine's bus has 32 places, of which its own devices take some. */
const MOST_DEVICES = 28;

function checkDevices(words: readonly string[]): void {
  const count = words.filter((word) => word === '-device').length;
  if (count <= MOST_DEVICES) return;
  throw new KvmError(
    'unsupported',
    `${count} interfaces and disks: a machine has at most ${MOST_DEVICES} of both`,
  );
}

function startOf(
  setup: MachineSetup,
  cgroup: PodCgroup,
  report: Report,
  { kind, missing }: TemplateChoice,
): Start {
  const { accelerator, size, debug } = setup.plan;
  const showLine = debug ? (line: string) => report.say(`console: ${line}`) : undefined;
  return {
    launch: (loop, events) => new Machine(loop, setup, showLine, (what) => report.step(what), events),
    // For pods to come.
    ready: () => {
      if (missing !== undefined) saveInBackground(missing);
      else if (kind !== undefined) keepSpareInBackground(kind);
    },
    helloSeconds: HELLO_SECONDS[accelerator],
    cgroup,
    facts: { accelerator, cpus: size.cpus, memory_bytes: size.memoryMiB * 1024 * 1024, uid: setup.id },
  };
}
