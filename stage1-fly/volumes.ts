/** The app's volumes: the host's own directories and files, with nothing in between, and directories of the pod. */
import { emptyVolume, namedVolume } from '../src/abi/pod-directory.ts';
import type { PodVolume, VolumeMount } from '../src/abi/volume-plan.ts';
import { SystemError } from '../src/native/errors.ts';
import { close, File, open_ } from '../src/native/files.ts';
import { restrictOpenMount } from '../src/native/mount-attributes.ts';
import { attachMountAt } from '../src/native/mounts.ts';
import { openOrMakeInRoot } from '../src/native/place-in-root.ts';
import { fstat } from '../src/native/stat.ts';
import { cloneSome } from '../src/native/volume-part.ts';
import { SupervisorError } from '../src/supervisor/error.ts';
import type { HostSide } from '../src/supervisor/network/host-side.ts';
import { readVolumePlan, shallowFirst } from '../src/supervisor/volumes/record.ts';
import { type AppUser, makeSecret, makeTmpfs } from './memory-volumes.ts';

/** A mount that is nowhere yet, and where it is to be in the app's root. */
export interface DetachedVolume {
  readonly target: string;
  readonly mount: number;
}

export interface VolumeSurroundings {
  readonly host: HostSide | undefined;
  readonly identity: AppUser;
}

/** @throws SupervisorError `bad-volume`, `unsupported`, `bad-pod` */
export function openVolumes(app: string, around: VolumeSurroundings): DetachedVolume[] {
  const { volumes, mounts } = readVolumePlan();
  return shallowFirst(mounts.filter((mount) => mount.app === app)).map((mount) => {
    const volume = volumes.find(({ key }) => key === mount.volume);
    if (volume === undefined) throw new SupervisorError('bad-pod', `no volume ${mount.volume}`);
    try {
      return openMount(volume, mount, around);
    } catch (cause) {
      if (!(cause instanceof SystemError)) throw cause;
      throw new SupervisorError('bad-volume', `volume ${volume.key}: ${cause.message}`, { cause });
    }
  });
}

function openMount(
  volume: PodVolume,
  { target, readOnly, subPath }: VolumeMount,
  around: VolumeSurroundings,
): DetachedVolume {
  const mount = cloneOf(volume, subPath, around);
  if (readOnly) restrictOpenMount(mount, 'recursive', 'read-only');
  return { target, mount };
}

/** One of the host's mounts stays its peer: what is mounted below one comes to the other, as far as the host shares its mounts. */
function cloneOf(volume: PodVolume, subPath: string | null, { identity, host }: VolumeSurroundings): number {
  switch (volume.kind) {
    case 'host': {
      const { source, recursive } = volume;
      const open = () => cloneSome(source, subPath, recursive ?? false);
      return host?.inMounts(open) ?? open();
    }
    case 'empty':
      if (volume.mountPoint !== null)
        throw new SupervisorError(
          'bad-volume',
          `no volume for the mount point ${JSON.stringify(volume.mountPoint)}`,
        );
      return cloneSome(emptyVolume(volume.key), subPath);
    case 'named':
      return openNamed(volume.volume, subPath);
    case 'tmpfs':
      return makeTmpfs(volume, subPath);
    case 'secret':
      return makeSecret(volume, identity);
    case 'limited':
      throw new SupervisorError('unsupported', `volume ${volume.key}: stage1-fly bounds the size of none`);
    case 'block':
      throw new SupervisorError('unsupported', `volume ${volume.key}: stage1-fly mounts no disks`);
    default:
      return volume satisfies never;
  }
}

/** Pods that nobody trusts may have had it, and left programs there that make their caller root, and devices. */
function openNamed(name: string, subPath: string | null): number {
  const mount = cloneSome(namedVolume(name), subPath);
  restrictOpenMount(mount, 'recursive', 'no-suid', 'no-devices');
  return mount;
}

/** In the app's root. */
export function attachVolume({ target, mount }: DetachedVolume): void {
  using root = File.open('/', open_.path | open_.directory);
  using place = openOrMakeInRoot(root.fd, target, fstat(mount).kind === 'directory' ? 'directory' : 'file');
  attachMountAt(mount, place.fd);
  close(mount);
}
