/**
 * How large a pod's machine is, from the limits of its apps:
 *
 * - processors: the sum of `resource/cpu` limits, each rounded up to a whole core, as in rkt. Where no app has a limit, or the
 *   sum is more than the host has: all of the host's with KVM, one in software emulation (more of them only slow it down).
 * - memory: the sum of `resource/memory` limits, an app without one counting as 256 MiB, and 128 MiB for the guest's
 *   kernel on top. (rkt: at least 512 MiB. Memory that a guest does not touch costs nothing either way.)
 *
 * What the pod's own isolators say is the most that both may be.
 *
 * A mutable pod has its size before it has an app: what its own isolators say, or 512 MiB for all apps together.
 *
 * The pod's processes on the host may use that, and what they need themselves: a guest can make virtiofsd and QEMU grow.
 */
import { type App, findIsolator, wholeUnits } from '../src/appc/index.ts';
import type { PodLimits } from '../src/supervisor/plan/pod-limits.ts';
import type { Accelerator } from './accelerator.ts';

export const DEFAULT_APP_MIB = 256;
const DEFAULT_SANDBOX_MIB = 512;
export const OVERHEAD_MIB = 128;
/** Measured: 80 MiB for a QEMU in emulation with its translations, 5 for virtiofsd, and what the kernel keeps for both. */
const PROGRAMS_MIB = 128;
/** Measured: 3 to 4 KiB of the kernel's memory for each file that virtiofsd has open; it may have 65536. */
const OPEN_FILES_MIB = 256;
/**
 * Guest code that QEMU has translated: its own limit would be a part of the host's memory, up to 1 GiB. Once it is full, QEMU forgets all of it.
 * Measured: a small pod's start takes 27 to 32 MiB, with 24 it took a tenth more of the processor; programs gain hardly anything from 256.
 */
export const TRANSLATIONS_MIB = 64;
const MIB = 1024 * 1024;
/** QEMU's own limit on this kind of machine. */
const MOST_CPUS = 255;

export interface MachineSize {
  readonly cpus: number;
  readonly memoryMiB: number;
}

/** Whatever has limits: apps, or a pod as a whole. */
type Limited = Pick<App, 'isolators'>;

const UNLIMITED: Limited = { isolators: [] };

export function sizeMachine(
  apps: readonly Limited[],
  hostCpus: number,
  accelerator: Accelerator,
  pod: Limited = UNLIMITED,
): MachineSize {
  const cpus = countCpus(apps, hostCpus, accelerator);
  const memoryMiB = sumMemory(apps, DEFAULT_APP_MIB);
  const most = limitOf(pod, 'resource/memory');
  return {
    cpus: Math.max(1, Math.min(cpus, limitOf(pod, 'resource/cpu') ?? cpus)),
    memoryMiB: most === undefined ? memoryMiB : Math.min(memoryMiB, memoryFor(most)),
  };
}

/**
 * The pod's processes as a whole may have what the machine has of processors, and one more for what QEMU and virtiofsd do besides; that
 * apps get no more than their parts of it is seen to inside. Its memory is bounded anyway.
 */
export function hostLimits({ memoryBytes: _, ...limits }: PodLimits, { cpus }: MachineSize): PodLimits {
  return limits.cpuMillis === undefined ? limits : { ...limits, cpuMillis: (cpus + 1) * 1000 };
}

/** MiB of a machine whose apps may use so many bytes together. */
export function memoryFor(appBytes: number): number {
  return Math.ceil(appBytes / MIB) + OVERHEAD_MIB;
}

export function sizeSandbox(pod: Limited, hostCpus: number, accelerator: Accelerator): MachineSize {
  return {
    cpus: countCpus([pod], hostCpus, accelerator),
    memoryMiB: sumMemory([pod], DEFAULT_SANDBOX_MIB),
  };
}

/** The most memory that the pod's processes may use together, in bytes. */
export function hostMemory({ memoryMiB }: MachineSize, accelerator: Accelerator): number {
  const translations = accelerator === 'tcg' ? TRANSLATIONS_MIB : 0;
  return (memoryMiB + PROGRAMS_MIB + OPEN_FILES_MIB + translations) * MIB;
}

function countCpus(apps: readonly Limited[], hostCpus: number, accelerator: Accelerator): number {
  const wanted = apps.reduce((sum, app) => sum + (limitOf(app, 'resource/cpu') ?? 0), 0);
  const unlimited = accelerator === 'kvm' ? hostCpus : 1;
  const cpus = wanted === 0 ? unlimited : Math.min(wanted, hostCpus);
  return Math.min(cpus, MOST_CPUS);
}

function sumMemory(apps: readonly Limited[], withoutLimit: number): number {
  const limits = apps.map((app) => {
    const bytes = limitOf(app, 'resource/memory');
    return bytes === undefined ? withoutLimit : Math.ceil(bytes / MIB);
  });
  return limits.reduce((sum, limit) => sum + limit, OVERHEAD_MIB);
}

/** In whole cores or bytes. */
function limitOf(app: Limited, name: 'resource/cpu' | 'resource/memory'): number | undefined {
  const limit = findIsolator(app.isolators, 'resource', name)?.value.limit;
  return limit === undefined ? undefined : wholeUnits(limit);
}
