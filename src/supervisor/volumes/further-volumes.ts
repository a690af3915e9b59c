/** Volumes of kinds that appc does not have, as far as the host has a hand in them. Mounts are nowhere yet, by fds. */
import type { BlockVolumePlan, LimitedVolumePlan, NamedVolumePlan } from '../../abi/further-volumes.ts';
import { limitedVolume, namedVolume } from '../../abi/pod-directory.ts';
import { unless } from '../../native/errors.ts';
import { File, open_ } from '../../native/files.ts';
import { attachLoop } from '../../native/loop-devices.ts';
import { cloneMount, ms, openFileSystem } from '../../native/mounts.ts';
import { chmod, chown, rmdir } from '../../native/paths.ts';
import { type Disk, openDisk } from '../disks/disk.ts';
import { makePodDisk, preparePodDisk } from '../disks/pod-disk.ts';
import type { HostSide } from '../network/host-side.ts';

/** Those with a file system of their own. */
export type DiskVolumePlan = BlockVolumePlan | LimitedVolumePlan;

export function openNamedVolume({ volume }: NamedVolumePlan): number {
  return cloneMount(namedVolume(volume), false);
}

/** Its name is looked up among the host's. @throws SupervisorError `bad-disk`, `unsupported` */
export function openVolumeDisk(volume: DiskVolumePlan, host: HostSide | undefined): Disk {
  const what = `volume ${volume.key}`;
  if (volume.kind === 'limited') return makePodDisk(what, limitedVolume(volume.key), volume.bytes);
  const { source, readOnly } = volume;
  const open = () => openDisk(what, source, readOnly);
  return preparePodDisk(`${what}: ${source}`, host?.inMounts(open) ?? open(), readOnly, volume);
}

/** By the kernel of the host, as that of a machine would do it. The disk stays the caller's, and with it its lock. */
export function mountDisk(volume: DiskVolumePlan, disk: Disk): number {
  const isReadOnly = volume.kind === 'block' && volume.readOnly;
  using loop = disk.kind === 'file' ? attachLoop(disk.fd, `rkt ${volume.key}`, isReadOnly) : undefined;
  const flags = ms.noSuid | ms.noDev | (isReadOnly ? ms.readOnly : 0);
  const mount = openFileSystem('ext4', flags, loop?.path ?? `/proc/self/fd/${disk.fd}`);
  if (volume.kind === 'limited') dress(mount, volume);
  return mount;
}

/** What mkfs makes for a program that looks after the file system: a new volume has nothing in it. */
const LOST_AND_FOUND = 'lost+found';

function dress(mount: number, { mode, uid, gid }: LimitedVolumePlan): void {
  using top = File.open('.', open_.readOnly | open_.directory, 0, mount);
  unless(['ENOENT'], () => rmdir(LOST_AND_FOUND, top.fd));
  chown(top.fd, uid, gid);
  // A change of owner takes bits away.
  chmod(top.fd, mode);
}
