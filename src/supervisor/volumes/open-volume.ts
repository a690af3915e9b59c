/**
 * A pod's volumes as mounts that are nowhere yet. Sources are looked up in the host's own mount namespace, where nothing of the pod's is
 * in the way; what a mount is not to allow it does not allow before anybody of the pod sees it.
 */
import type { DeviceRule } from '../../abi/boot-plan.ts';
import type { LimitedVolumePlan } from '../../abi/further-volumes.ts';
import type { IdRange } from '../../abi/id-range.ts';
import { emptyVolume } from '../../abi/pod-directory.ts';
import type { HostVolumePlan, PodVolume } from '../../abi/volume-plan.ts';
import { SystemError } from '../../native/errors.ts';
import { close, File, open_ } from '../../native/files.ts';
import {
  allowOpenMount,
  type MountDepth,
  restrictOpenMount,
  setPropagation,
} from '../../native/mount-attributes.ts';
import { cloneMount } from '../../native/mounts.ts';
import { fstat, type Stat } from '../../native/stat.ts';
import { SupervisorError } from '../error.ts';
import type { HostSide } from '../network/host-side.ts';
import { makeBoundedDirectory } from './bounded-directory.ts';
import { type DiskVolumePlan, mountDisk, openNamedVolume, openVolumeDisk } from './further-volumes.ts';
import { adoptDirectory, idsOf, ownershipWarning, showIds } from './ids.ts';

/** What PID 1 does not make itself. */
export type Mounted = Exclude<PodVolume, { kind: 'tmpfs' | 'secret' }>;

export interface OpenVolume {
  readonly key: string;
  /** Detached; by fd. */
  readonly mount: number;
  readonly isDirectory: boolean;
  /** What an app that has it may use. */
  readonly device: DeviceRule | undefined;
  /** To be let go of with the mount: a mount alone would not keep others from the disk, nor bound a directory. */
  readonly disk?: Disposable;
}

/** What volumes are opened for. */
export interface VolumeSurroundings {
  /** Undefined: this process is in the host's mount namespace itself. */
  readonly host: HostSide | undefined;
  readonly ownKernel: boolean;
  /** Ids of the pod's users outside of it; null: they are the host's. */
  readonly users: IdRange | null;
  readonly warn: (message: string) => void;
}

/** Of a kind that the host mounts. @throws SupervisorError `bad-volume` */
export function openVolume(volume: Mounted, around: VolumeSurroundings): OpenVolume {
  try {
    switch (volume.kind) {
      case 'host':
        return openHostVolume(volume, around);
      case 'empty':
        return openDirectory(volume, cloneMount(emptyVolume(volume.key), false), around);
      case 'named':
        return openDirectory(volume, openNamedVolume(volume), around);
      case 'limited':
        return openLimitedVolume(volume, around);
      case 'block':
        return openDiskVolume(volume, around);
      default:
        return volume satisfies never;
    }
  } catch (cause) {
    if (!(cause instanceof SystemError)) throw cause;
    throw new SupervisorError('bad-volume', `volume ${volume.key}: ${cause.message}`, { cause });
  }
}

function openHostVolume(volume: HostVolumePlan, around: VolumeSurroundings): OpenVolume {
  const { key, source } = volume;
  const open = () => {
    using file = File.open(source, open_.path);
    const stat = fstat(file.fd);
    if (around.ownKernel) refuseSpecial(volume, stat);
    const ids = idsOf(volume, stat, around.users);
    const depth = stat.kind === 'directory' && (volume.recursive ?? true) ? 'recursive' : 'alone';
    const mount = cloneMount('', depth === 'recursive', file.fd);
    return holding(mount, () => {
      if (ids !== undefined) showIds(mount, depth, ids, `volume ${key}: ${source}`);
      // What the host mounts below later arrives, as in rkt; nothing goes back. Not where ids are mapped or nothing may be written:
      // what arrives has the host's ids and flags.
      const isOpen = depth === 'recursive' && !volume.readOnly && ids === undefined;
      setPropagation(mount, depth, isOpen ? 'slave' : 'private');
      restrict(volume, mount, depth, stat);
      // What is refused stays as it is.
      if (ids?.of === 'volume') adoptDirectory(file.fd, stat);
      const warning = ownershipWarning(volume, fstat(file.fd));
      if (warning !== undefined) around.warn(`volume ${key}: ${warning}`);
      return { key, mount, isDirectory: stat.kind === 'directory', device: deviceOf(volume, stat) };
    });
  };
  return around.host?.inMounts(open) ?? open();
}

/** Nobody of the host gets there but root. Takes the mount over. */
function openDirectory(volume: PodVolume, mount: number, { users }: VolumeSurroundings): OpenVolume {
  const { key } = volume;
  return holding(mount, () => {
    if (users !== null)
      showIds(mount, 'alone', { of: 'pod', disk: 0, pod: users.first, count: users.count }, `volume ${key}`);
    restrictOpenMount(mount, 'alone', 'no-suid', 'no-devices', ...readOnly(volume));
    setPropagation(mount, 'alone', 'private');
    return { key, mount, isDirectory: true, device: undefined };
  });
}

/** With the host's users, whoever owns a file gives it another project: then the volume has a file system of its own. */
function openLimitedVolume(volume: LimitedVolumePlan, around: VolumeSurroundings): OpenVolume {
  const directory = around.users === null ? undefined : makeBoundedDirectory(volume);
  if (directory === undefined) return openDiskVolume(volume, around);
  try {
    return { ...openDirectory(volume, cloneMount('', false, directory.fd), around), disk: directory };
  } catch (error) {
    directory[Symbol.dispose]();
    throw error;
  }
}

function openDiskVolume(volume: DiskVolumePlan, around: VolumeSurroundings): OpenVolume {
  const disk = openVolumeDisk(volume, around.host);
  try {
    return { ...openDirectory(volume, mountDisk(volume, disk), around), disk };
  } catch (error) {
    disk[Symbol.dispose]();
    throw error;
  }
}

function holding<T>(mount: number, action: () => T): T {
  try {
    return action();
  } catch (error) {
    close(mount);
    throw error;
  }
}

function restrict(volume: HostVolumePlan, mount: number, depth: MountDepth, stat: Stat): void {
  if (deviceOf(volume, stat) === undefined)
    restrictOpenMount(mount, depth, 'no-suid', 'no-devices', ...readOnly(volume));
  else {
    // That keeps nobody from writing to the device, but from giving the host's node another mode or owner.
    restrictOpenMount(mount, depth, 'no-suid', 'read-only');
    allowOpenMount(mount, depth, 'no-devices');
  }
}

function readOnly({ readOnly }: PodVolume): readonly ['read-only'] | readonly [] {
  return readOnly ? ['read-only'] : [];
}

function deviceOf({ readOnly }: PodVolume, { kind, represents }: Stat): DeviceRule | undefined {
  if (kind !== 'char' && kind !== 'block') return undefined;
  return { kind, ...represents, use: readOnly ? 'r' : 'rw' };
}

const SPECIAL: Readonly<Partial<Record<Stat['kind'], string>>> = {
  char: 'a device',
  block: 'a device',
  fifo: 'a named pipe',
  socket: 'a socket',
};

/** A file system that is shared with a machine has names for these, and nothing behind them. */
function refuseSpecial({ key, source }: HostVolumePlan, { kind }: Stat): void {
  const what = SPECIAL[kind];
  if (what === undefined) return;
  throw new SupervisorError(
    'unsupported',
    `volume ${key}: ${source} is ${what} of the host, which a virtual machine cannot use${kind === 'block' ? '; a volume of kind block gives it one' : ''}`,
  );
}
