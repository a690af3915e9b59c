/** QEMU's and virtiofsd's command lines as data, each argument with its reason. Pure. */
import { CONTROL_PORT, DATA_PORT } from '../src/abi/guest.ts';
import { POD } from '../src/abi/pod-directory.ts';
import type { Accelerator } from './accelerator.ts';
import type { Virtiofsd } from './programs.ts';
import { type MachineSize, TRANSLATIONS_MIB } from './size.ts';

/** The tag of the share that holds the apps' roots. */
export const SHARE_TAG = 'pod';
/** Kernel and initramfs as the supervisor sees them, in the pod's directory. */
export const KERNEL_DIRECTORY = `${POD.stage1Rootfs}/vm`;
/** The same as QEMU sees them, in its own root. */
const KERNEL = '/vm/vmlinux';
const INITRAMFS = '/vm/initramfs';
/** The share as virtiofsd sees it, in its own root. */
export const SHARE_PATH = '/share';

/** What each of QEMU's file descriptors is, by number: it gets no path to anything and waits for nobody. */
export const QEMU_FDS = ['stdin', 'stdout', 'stderr', 'control', 'data', 'qmp', 'console', 'share'] as const;
export type QemuFd = (typeof QEMU_FDS)[number];

/** What the guest's kernel is told by. */
export interface KernelPlan {
  readonly accelerator: Accelerator;
  /** Of the host's time stamp counter; undefined where unknown. */
  readonly tscKilohertz: number | undefined;
  readonly debug: boolean;
  /** RKT_HYPERVISOR_EXTRA_KERNEL_PARAMS. */
  readonly extraKernelParameters: string;
}

export interface MachinePlan extends KernelPlan {
  /** The pod's UUID. */
  readonly uuid: string;
  readonly size: MachineSize;
  readonly firmware: string;
  /** Files of the host's: volumes, or roots that are no disks. */
  readonly hasShare: boolean;
  /** The interfaces, and the disks; their fds come after QEMU_FDS. */
  readonly deviceArguments: readonly string[];
}

export const ACCELERATION: Readonly<Record<Accelerator, readonly string[]>> = {
  kvm: ['-accel', 'kvm', '-cpu', 'host'],
  // Without fast string operations the kernel copies and clears by larger words: emulated, those go byte by byte.
  tcg: ['-accel', `tcg,tb-size=${TRANSLATIONS_MIB}`, '-cpu', 'max,-erms,-fsrm'],
};

/** Nothing that is not named: no default devices, no configuration of the user's, no window. */
export const NOTHING_ELSE = ['-nodefaults', '-no-user-config', '-display', 'none'];

/** Without the program's name. */
export function qemuArguments(plan: MachinePlan): string[] {
  const { size, accelerator } = plan;
  return [
    ...NOTHING_ELSE,
    // For people who look at `ps`, and for the guest's DMI.
    ...['-name', `rkt-${plan.uuid}`, '-uuid', plan.uuid],
    // The smallest machine there is; PCI because its interrupts cost less than virtio-mmio's, and for vhost-user.
    ...['-machine', 'microvm,pcie=on,isa-serial=on,memory-backend=ram'],
    ...ACCELERATION[accelerator],
    ...['-smp', String(size.cpus), '-m', `${size.memoryMiB}M`],
    // virtiofsd maps the guest's memory to copy to and from it, so it must be shared.
    ...['-object', `memory-backend-memfd,id=ram,size=${size.memoryMiB}M,share=on`],
    // Not SeaBIOS, which newer QEMUs pick: it shows the kernel no PCI bus.
    ...['-bios', plan.firmware],
    ...kernelArguments(plan),
    // A guest that resets itself has crashed (panic=-1): the pod ends.
    '-no-reboot',
    ...serialArguments(),
    ...balloonArguments(),
    ...(plan.hasShare ? shareArguments() : []),
    ...plan.deviceArguments,
    ...oversight(),
  ];
}

/** What the supervisor hears of QEMU and its guest, and what QEMU may not do. */
export function oversight(): string[] {
  return [
    // Messages of the kernel, kept for the error message of a pod that fails.
    ...socket('console'),
    ...['-serial', 'chardev:console'],
    // Events: a machine that stops for an internal error would otherwise just sit there.
    ...socket('qmp'),
    ...['-mon', 'chardev=qmp,mode=control'],
    // What QEMU never does once it runs: a guest that takes it over must not either.
    ...['-sandbox', 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny'],
  ];
}

export function kernelArguments(plan: KernelPlan): string[] {
  return ['-kernel', KERNEL, '-initrd', INITRAMFS, '-append', kernelParameters(plan)];
}

/** Two ports; port 0 is for consoles. `place`: where on the bus the device is, if that matters. */
export function serialArguments(place = ''): string[] {
  return [
    ...['-device', `virtio-serial-pci,id=ports,max_ports=3${place}`],
    ...socket('control'),
    ...['-device', `virtserialport,bus=ports.0,nr=1,chardev=control,name=${CONTROL_PORT}`],
    ...socket('data'),
    ...['-device', `virtserialport,bus=ports.0,nr=2,chardev=data,name=${DATA_PORT}`],
  ];
}

/** Memory that the guest has freed goes back to the host, some seconds later. Nobody ever takes any from a guest. */
export function balloonArguments(place = ''): string[] {
  return ['-device', `virtio-balloon-pci,free-page-reporting=on${place}`];
}

function shareArguments(): string[] {
  return [...socket('share'), '-device', `vhost-user-fs-pci,chardev=share,tag=${SHARE_TAG}`];
}

/** A socket that is connected already. */
export function socket(fd: QemuFd): string[] {
  return ['-chardev', `socket,id=${fd},fd=${QEMU_FDS.indexOf(fd)}`];
}

/** The same for every pod: what a pod is, its init learns on its channel. */
export function kernelParameters(plan: KernelPlan): string {
  return [
    'console=ttyS0',
    // 1: silent until it panics or oopses, which is printed. At 0 not even that would be.
    ...(plan.debug ? ['loglevel=7'] : ['quiet', 'loglevel=1']),
    // A panic resets the machine at once, by a triple fault: QEMU notices and exits. A kernel that has found itself broken is not
    // gone on with: a process that it has killed in its midst never comes to its end, and holds what others wait for.
    ...['oops=panic', 'panic=-1', 'reboot=t'],
    // Faster to boot: no self-tests of ciphers, no waiting for idle processors, the one serial port there is.
    ...['cryptomgr.notests', 'rcupdate.rcu_expedited=1', '8250.nr_uarts=1'],
    'random.trust_cpu=on',
    // Two steps of its start that serve nothing here and take a tenth of it: an entropy source of the crypto API alone,
    // with its self-test, and the keys for checking signed modules, which ours are not.
    'initcall_blacklist=jent_mod_init,load_system_certificate_list',
    ...(plan.accelerator === 'tcg' ? emulationParameters(plan.tscKilohertz) : []),
    ...plan.extraKernelParameters.split(/\s+/).filter((parameter) => parameter !== ''),
  ].join(' ');
}

/**
 * The kernel's calibration of its clock loses a race against a busy host now and then and hangs; told the frequency it
 * does not calibrate. With KVM it has a clock of its own, and a wrong value would skew the time. Mitigations protect
 * against a speculation that emulated processors do not do.
 */
function emulationParameters(kilohertz: number | undefined): string[] {
  const frequency = kilohertz === undefined ? [] : [`tsc_early_khz=${kilohertz}`];
  return [...frequency, 'no_timer_check', 'tsc=reliable', 'mitigations=off'];
}

/** What each of virtiofsd's file descriptors is. */
export const VIRTIOFSD_FDS = ['stdin', 'stdout', 'stderr', 'listen'] as const;
const LISTEN_FD = VIRTIOFSD_FDS.indexOf('listen');

/**
 * Files the guest may have open, each of which is one of virtiofsd's, as are the directories and files whose inodes the guest
 * remembers.
 */
export const SHARE_FILES = 65536;

/** What a guest may believe of what it has seen: that nobody else changes it, or that it holds for a second, and content until a file is opened. */
export type ShareCache = 'always' | 'auto';

/**
 * Without the program's name.
 * - it is in namespaces and in a root of its own already, and makes the share its root there;
 * - several overlays, and volumes, are mounted under the share: without announce-submounts their inode numbers collide;
 * - xattrs, for file capabilities;
 * - the limit of files is set beforehand: raising it may not be allowed;
 * - no threads for requests, which is the default of both: PID 1 counts on answers in the order of its questions.
 */
export function virtiofsdArguments({ kind }: Virtiofsd, cache: ShareCache): readonly string[] {
  switch (kind) {
    case 'c':
      return [
        '-f',
        `--fd=${LISTEN_FD}`,
        ...['-o', `source=${SHARE_PATH}`],
        ...['-o', `sandbox=chroot,cache=${cache},xattr,announce_submounts,log_level=warn`],
        ...['--rlimit-nofile=0', ONE_AFTER_THE_OTHER],
      ];
    case 'rust':
      return [
        `--fd=${LISTEN_FD}`,
        `--shared-dir=${SHARE_PATH}`,
        '--sandbox=chroot',
        `--cache=${cache}`,
        '--xattr',
        '--announce-submounts',
        '--log-level=warn',
        ...['--rlimit-nofile=0', ONE_AFTER_THE_OTHER],
      ];
    default:
      return kind satisfies never;
  }
}

const ONE_AFTER_THE_OTHER = '--thread-pool-size=0';
