/**
 * The interfaces and disks that a machine is saved with: stand-ins, in whose places its restored selves have those of their pods. Its kernel has
 * found them and its drivers are theirs before there is a pod; what differs from pod to pod it asks them for later (a serial
 * number), is told (an address), or needs not know (the size of a disk: its file system says where it ends, and QEMU refuses what is beyond). Pure.
 */
import { standInAddress } from '../src/abi/network-plan.ts';
import type { SavedDevices } from '../src/abi/templates.ts';
import type { MachineDisk } from '../src/supervisor/volumes/made-volumes.ts';
import type { Accelerator } from './accelerator.ts';
import { diskDevice, oneDisk } from './disks.ts';
import { fdsOf, type InterfaceFds, interfaceArguments } from './interface-arguments.ts';
import type { MachineNetwork } from './interfaces.ts';

/** In bytes: as large as any disk that it stands for. */
const STAND_IN_SIZE = 2 ** 46;

export interface StandIns {
  readonly interfaces: readonly InterfaceFds[];
  /** No stand-in: what is on it is saved with the machine. */
  readonly scratch: MachineDisk | undefined;
}

/** Disks that nothing stands in for come last: of a device of the host the kernel has to know the size of its blocks. */
export function savedDevices(
  { interfaces }: Pick<MachineNetwork, 'interfaces'>,
  disks: readonly Pick<MachineDisk, 'kind' | 'readOnly'>[],
  scratchBytes: number | null,
): SavedDevices {
  const at = disks.findIndex(({ kind }) => kind !== 'file');
  const kinds = disks.map(({ readOnly }) => (readOnly ? 'read' : 'write'));
  if (at !== -1) return { interfaces, disks: kinds.slice(0, at), scratchBytes: null };
  return { interfaces, disks: scratchBytes === null ? kinds : [...kinds, 'scratch'], scratchBytes };
}

/** Their files are handed over at once, at most 250 with all others: with eight queues, and vhosts, each has 16. */
const MOST_SPARE_INTERFACES = 8;

/** A spare has a disk to write to, and others that anything can be read of: the images of roots. */
export function canHaveSpares({ interfaces, disks, scratchBytes }: SavedDevices): boolean {
  return (
    interfaces <= MOST_SPARE_INTERFACES &&
    scratchBytes !== null &&
    disks.every((kind) => kind === 'read' || kind === 'scratch')
  );
}

/** Each interface has an address that no pod's has. The fds of interfaces are QEMU's from `first` on, after them comes the scratch disk. */
export function standIns(
  { disks }: SavedDevices,
  { interfaces, scratch }: StandIns,
  first: number,
  accelerator: Accelerator,
): string[] {
  const joined = interfaces.map((fds, index) => ({ ...fds, mac: standInAddress(index) }));
  return [
    ...interfaceArguments(joined, first, accelerator),
    ...disks.flatMap((kind, index) =>
      kind === 'scratch' && scratch !== undefined
        ? oneDisk(scratch, index, first + fdsOf(interfaces).length)
        : ['-blockdev', standInDisk(kind, index), ...diskDevice(index, 'none')],
    ),
  ];
}

/** In words, for comparing. */
export function deviceWords(
  { interfaces, disks, scratchBytes }: SavedDevices,
  queues: number,
  hasVhost: boolean,
): string[] {
  const of = interfaces === 0 ? '' : ` of ${queues} queues${hasVhost ? ' and vhost' : ''}`;
  const size = scratchBytes === null ? '' : ` of ${scratchBytes} bytes`;
  return [`${interfaces} interfaces${of}`, `disks ${disks.join(' ')}${size}`];
}

function standInDisk(kind: SavedDevices['disks'][number], index: number): string {
  const readOnly = kind === 'read' ? 'on' : 'off';
  // Zeros: the kernel looks for partitions.
  return `driver=null-co,node-name=disk${index},read-only=${readOnly},size=${STAND_IN_SIZE},read-zeroes=on`;
}
