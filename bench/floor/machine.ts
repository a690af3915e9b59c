/**
 * The bare floor: the kernel and initramfs of the stage1 image in the same kind of machine, without the pod's
 * devices (control and data channel, shared file system and memory, QMP), booted to an init that prints and powers off.
 */
import { accessSync, constants, existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ACCEL_ENV } from '../../src/abi/stage1.ts';
import { type Accelerator, chooseAccelerator, parseCpuInfo } from '../../stage1-kvm/accelerator.ts';
import { writeCpio } from '../../stage1-kvm/image/cpio.ts';
import { kernelRelease } from '../../stage1-kvm/image/kernel.ts';
import { DEFAULT_APP_MIB, OVERHEAD_MIB } from '../../stage1-kvm/size.ts';
import { kernelParameters } from '../../stage1-kvm/vmm.ts';
import { compileProgram } from '../../tools/compile.ts';
import { run } from '../../tools/engine.ts';
import { artefacts, buildDir, rootDir } from '../../tools/paths.ts';
import { file } from '../../tools/stage1/entry.ts';

export const floorDirectory = join(buildDir, 'bench');
export const BARE_MIB = DEFAULT_APP_MIB + OVERHEAD_MIB;
const FIRMWARE = ['/usr/share/qemu/qboot.rom', '/usr/share/seabios/qboot.rom'];

/** Prepares the floor's files and gives the command that boots it. Its guest prints on the command's stdout. */
export function prepareFloor(): Promise<string[]> {
  return bareMachine('init');
}

/** The command that boots the machine to a program beside this one as its init; more devices may follow. */
export async function bareMachine(program: string): Promise<string[]> {
  await mkdir(floorDirectory, { recursive: true });
  await run('tar', ['-xf', artefacts.stage1Kvm, '--strip-components=2', 'rootfs/vm'], floorDirectory);
  const entry = join(rootDir, 'bench', 'floor', `${program}.ts`);
  const init = await compileProgram({ entry, name: `floor-${program}`, outDir: floorDirectory });
  // A second archive behind the first: the initramfs is the pod's, to the byte, and one file more.
  const more = writeCpio([file('floor-init', await readFile(init), 0o755)]);
  const initramfs = join(floorDirectory, `${program}-initramfs`);
  await writeFile(initramfs, Buffer.concat([await readFile(join(floorDirectory, 'initramfs')), more]));
  return machineCommand(initramfs);
}

/** The release of the kernel that both boot; once the floor is prepared. */
export async function floorKernel(): Promise<string> {
  return kernelRelease(await readFile(join(floorDirectory, 'vmlinux')));
}

async function machineCommand(initramfs: string): Promise<string[]> {
  const { kilohertz } = parseCpuInfo(await readFile('/proc/cpuinfo', 'utf8'));
  const accelerator = await floorAccelerator();
  return [
    ...['qemu-system-x86_64', '-nodefaults', '-no-user-config', '-display', 'none'],
    ...['-machine', 'microvm,pcie=on,isa-serial=on', '-bios', firmware()],
    ...['-accel', accelerator, '-cpu', accelerator === 'kvm' ? 'host' : 'max', '-smp', '1'],
    ...['-m', `${BARE_MIB}M`],
    ...['-kernel', join(floorDirectory, 'vmlinux'), '-initrd', initramfs],
    ...['-append', `${kernelCommandLine(accelerator, kilohertz)} rdinit=/floor-init`],
    ...['-no-reboot', '-serial', 'stdio'],
  ];
}

/** The one that pods get. */
export async function floorAccelerator(): Promise<Accelerator> {
  const { flags } = parseCpuInfo(await readFile('/proc/cpuinfo', 'utf8'));
  return chooseAccelerator({ flags, kvmRefusal: kvmRefusal(), wanted: process.env[ACCEL_ENV] }).accelerator;
}

function kernelCommandLine(accelerator: Accelerator, tscKilohertz: number | undefined): string {
  return kernelParameters({ accelerator, tscKilohertz, debug: false, extraKernelParameters: '' });
}

function firmware(): string {
  const found = FIRMWARE.find((path) => existsSync(path));
  if (found === undefined) throw new Error(`none of ${FIRMWARE.join(', ')}: install qemu-system-data`);
  return found;
}

function kvmRefusal(): string | undefined {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
