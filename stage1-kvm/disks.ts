/** The machine's disks: files and devices of the host, that QEMU has open. */
import type { RootDiskPlan } from '../src/abi/boot-plan.ts';
import type { MadeVolume } from '../src/abi/made-volumes.ts';
import type { MachineDisk } from '../src/supervisor/volumes/made-volumes.ts';
import { presentModules } from './guest-modules.ts';

/** QEMU has their fds in their order, from `first` on. Pure. */
export function diskArguments(disks: readonly MachineDisk[], first: number): string[] {
  return disks.flatMap((disk, index) => oneDisk(disk, index, first + index));
}

/** QEMU has it as `fd`. */
export function oneDisk(disk: MachineDisk, index: number, fd: number): string[] {
  return [
    // By this number QEMU finds an open file instead of a name.
    ...['-add-fd', `fd=${fd},set=${index}`],
    ...['-blockdev', blockdev(disk, index)],
    ...diskDevice(index, disk.serial),
  ];
}

/** What the guest gives back goes from the file, too. */
function blockdev({ kind, readOnly, isPassing = false }: MachineDisk, index: number): string {
  return [
    'driver=raw',
    `node-name=disk${index}`,
    `read-only=${readOnly ? 'on' : 'off'}`,
    'discard=unmap',
    ...(isPassing ? ['cache.no-flush=on'] : []),
    `file.driver=${kind === 'block' ? 'host_device' : 'file'}`,
    `file.filename=/dev/fdset/${index}`,
  ].join(',');
}

/** An error is for the guest to hear: by default QEMU would stop the machine when the host's file system is full. */
export function diskDevice(index: number, serial: string): string[] {
  const errors = ['werror=report', 'rerror=report'];
  const options = ['virtio-blk-pci', `drive=disk${index}`, `serial=${serial}`, ...errors];
  return ['-device', options.join(',')];
}

const DRIVERS = ['virtio_blk'];
const ROOT_DRIVERS = ['libcrc32c', 'erofs', 'overlay'];
const HASH_DRIVERS: Readonly<Record<string, string>> = { sha256: 'sha256_ssse3' };
const SEAL_DRIVERS = ['dm_mod', 'dm_bufio', 'reed_solomon', 'dm_verity'];

/** Those that the guest has to load, in their order. */
export function diskModules(volumes: readonly MadeVolume[], rootDisks: readonly RootDiskPlan[]): string[] {
  const hasRoots = rootDisks.length > 0;
  if (!hasRoots && volumes.every(({ kind }) => kind !== 'disk')) return [];
  const seals = rootDisks.flatMap((disk) => (disk.kind === 'image' ? (disk.seal ?? []) : []));
  const wanted = [
    ...DRIVERS,
    ...(hasRoots ? ROOT_DRIVERS : []),
    ...(seals.length > 0 ? SEAL_DRIVERS : []),
    ...seals.flatMap(({ algorithm }) => HASH_DRIVERS[algorithm] ?? []),
  ];
  return presentModules(wanted);
}
