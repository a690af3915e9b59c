/**
 * The command lines of a machine that is saved before it knows what pod it is, and of one that is restored from that; as data. Both
 * say the same machine: QEMU checks what it can of that. Pure.
 *
 * - q35: the small machine of a cold start has no place to plug anything in.
 * - no `vmgenid`: PID 1 is told that it was restored, and has its kernel forget its random numbers before anything else; the kernel would
 *   hear the same by a program of ACPI's that it interprets, a tenth of the way to the app.
 * - one root port, for the share of files, which QEMU neither saves nor restores. What else it was not saved with is on the root bus of
 *   the restored machine alone, and PID 1 has its kernel look there.
 */
import type { SavedDevices } from '../src/abi/templates.ts';
import type { Accelerator } from './accelerator.ts';
import { queuesFor } from './interface-arguments.ts';
import { deviceWords, type StandIns, standIns } from './saved-devices.ts';
import type { MachineSize } from './size.ts';
import {
  ACCELERATION,
  balloonArguments,
  type KernelPlan,
  kernelArguments,
  kernelParameters,
  type MachinePlan,
  NOTHING_ELSE,
  oversight,
  QEMU_FDS,
  SHARE_TAG,
  serialArguments,
  socket,
} from './vmm.ts';

/** Where QEMU finds its memory, in its own root: a file as large as the machine's memory, which is its own or (`memory-filter.ts`) a template's. */
export const MEMORY_DIRECTORY = 'memory';
export const MEMORY_FILE = 'ram';
const MEMORY = `/${MEMORY_DIRECTORY}/${MEMORY_FILE}`;
const SHARE_PORT = 'share-port';

/** The machine's memory stays out of the state: it is in its file. With `events` QEMU says how far it is. */
export const CAPABILITIES = {
  capabilities: ['x-ignore-shared', 'events'].map((capability) => ({ capability, state: true })),
};

/** The kernel plugs by the port's registers without asking ACPI, which lets it do so only if it also does what machines have no use for. */
export const SAVED_PARAMETERS = 'pcie_ports=native';

export interface SavedMachine {
  readonly accelerator: Accelerator;
  readonly size: MachineSize;
  readonly devices: SavedDevices;
}

/** `own`: only this QEMU has it. Else virtiofsd maps it, too. */
type Memory = 'own' | 'shared';

function machineArguments({ accelerator, size }: Omit<SavedMachine, 'devices'>, memory: Memory): string[] {
  return [
    ...NOTHING_ELSE,
    ...['-machine', 'q35,usb=off,sata=off,smbus=off,memory-backend=ram'],
    // Plugging by the port's own registers, not by ACPI, whose programs the guest would interpret.
    ...['-global', 'ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off'],
    ...ACCELERATION[accelerator],
    ...['-smp', String(size.cpus), '-m', `${size.memoryMiB}M`],
    ...['-object', memoryObject(size, memory)],
    '-no-reboot',
    ...serialArguments(',addr=1'),
    ...['-device', `pcie-root-port,id=${SHARE_PORT},chassis=1,slot=1,addr=2`],
    // A function of the bridge to ISA's place, so that it takes none of its own.
    ...balloonArguments(',addr=1f.4'),
    ...oversight(),
  ];
}

function memoryObject({ memoryMiB }: MachineSize, memory: Memory): string {
  const share = memory === 'shared' ? 'on' : 'off';
  return `memory-backend-file,id=ram,size=${memoryMiB}M,mem-path=${MEMORY},share=${share}`;
}

/** Without the program's name. The fds of its stand-ins come after QEMU_FDS. */
export function templateArguments(machine: SavedMachine & KernelPlan, devices: StandIns): string[] {
  return [
    ...machineArguments(machine, 'shared'),
    ...['-name', 'rkt-template'],
    ...standIns(machine.devices, devices, QEMU_FDS.length, machine.accelerator),
    ...kernelArguments(machine),
  ];
}

/** Without the program's name, and without a kernel: that is in the memory. */
export function restoredArguments(
  machine: Omit<SavedMachine, 'devices'>,
  { uuid, hasShare, deviceArguments }: Pick<MachinePlan, 'uuid' | 'hasShare' | 'deviceArguments'>,
): string[] {
  return [
    ...machineArguments(machine, hasShare ? 'shared' : 'own'),
    // For people who look at `ps`: the guest's DMI was made before there was a pod.
    ...['-name', `rkt-${uuid}`, '-uuid', uuid],
    ...(hasShare ? socket('share') : []),
    ...deviceArguments,
    // It would tell the pod's networks of addresses that only stand for those of interfaces.
    ...['-global', 'migration.announce-rounds=0'],
    ...['-incoming', 'defer'],
  ];
}

/** The share of files, for `device_add`. */
export const SHARE_DEVICE = {
  driver: 'vhost-user-fs-pci',
  bus: SHARE_PORT,
  chardev: 'share' satisfies (typeof QEMU_FDS)[number],
  tag: SHARE_TAG,
};

/** What all pods of a kind have in common before they are pods: the words that stand for it in a template's key. */
export function machineWords(machine: SavedMachine, hasVhost: boolean): string[] {
  const kernel = {
    ...machine,
    tscKilohertz: undefined,
    debug: false,
    extraKernelParameters: SAVED_PARAMETERS,
  };
  return [
    ...machineArguments(machine, 'shared'),
    ...deviceWords(machine.devices, queuesFor(machine.size.cpus), hasVhost),
    kernelParameters(kernel),
  ];
}
