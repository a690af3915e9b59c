/** The app's volumes: the host's own directories and files, with nothing in between, and directories of the pod. */
import { emptyVolume, namedVolume } from '../src/abi/pod-directory.ts';
import type { PodVolume, VolumeMount } from '../src/abi/volume-plan.ts';
import { SystemError } from '../src/native/errors.ts';
import { File, open_ } from '../src/native/files.ts';
import { restrictOpenMount } from '../src/native/mount-attributes.ts';
import { attachMountAt, cloneMount } from '../src/native/mounts.ts';
import { openOrMakeInRoot, type PlaceCheck } from '../src/native/place-in-root.ts';
import { fstat, stat } from '../src/native/stat.ts';
import { SupervisorError } from '../src/supervisor/error.ts';
import type { HostSide } from '../src/supervisor/network/host-side.ts';
import { readVolumePlan, shallowFirst } from '../src/supervisor/volumes/record.ts';
import { type AppUser, makeSecret, makeTmpfs } from './memory-volumes.ts';
import type { GivenVolume } from './unsupported.ts';
import { takePart } from './volume-part.ts';

/** A mount that is nowhere yet, and where it is to be in the app's root. */
export interface DetachedVolume extends GivenVolume {
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

function openMount(volume: PodVolume, wanted: VolumeMount, around: VolumeSurroundings): DetachedVolume {
  const whole = cloneOf(volume, around);
  if (volume.readOnly) restrictOpenMount(whole, 'recursive', 'read-only');
  const mount = wanted.subPath === null ? whole : takePart(whole, wanted.subPath);
  if (wanted.readOnly) restrictOpenMount(mount, 'recursive', 'read-only');
  const idMap = volume.kind === 'host' ? volume.idMap : null;
  const { target, readOnly } = wanted;
  return { key: volume.key, target, mount, kind: fstat(mount).kind, readOnly, idMap };
}

/** One of the host's mounts stays its peer: what is mounted below one comes to the other, as far as the host shares its mounts. */
function cloneOf(volume: PodVolume, { identity, host }: VolumeSurroundings): number {
  switch (volume.kind) {
    case 'host': {
      const { source, recursive } = volume;
      const open = () => cloneMount(source, recursive ?? false);
      return host?.inMounts(open) ?? open();
    }
    case 'empty':
      if (volume.mountPoint !== null)
        throw new SupervisorError(
          'bad-volume',
          `no volume for the mount point ${JSON.stringify(volume.mountPoint)}`,
        );
      return cloneMount(emptyVolume(volume.key), false);
    case 'named':
      return openNamed(volume.volume);
    case 'tmpfs':
      return makeTmpfs(volume);
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
function openNamed(name: string): number {
  const mount = cloneMount(namedVolume(name), false);
  restrictOpenMount(mount, 'recursive', 'no-suid', 'no-devices');
  return mount;
}

/**
 * In the app's root. What is made or mounted in one of the host's trees there, or in a volume, is the host's as well, and stays: links
 * of the image may lead there, so that it is the places themselves that are looked at. @throws SupervisorError `bad-volume`
 */
export function attachVolumes(volumes: readonly DetachedVolume[]): void {
  const own = ['/', '/tmp'].map((path) => stat(path).mountId);
  for (const { key, target, mount, kind } of volumes) {
    attachVolume({ target, mount, kind }, (place) => {
      if (own.includes(fstat(place).mountId)) return;
      const why = `its target ${target} is in what the app shares with the host: /dev, /proc, /sys, or a volume`;
      throw new SupervisorError('bad-volume', `volume ${key}: ${why}`);
    });
  }
}

function attachVolume(
  { target, mount, kind }: Pick<DetachedVolume, 'target' | 'mount' | 'kind'>,
  check: PlaceCheck,
): void {
  using root = File.open('/', open_.path | open_.directory);
  using place = openOrMakeInRoot(root.fd, target, kind === 'directory' ? 'directory' : 'file', check);
  attachMountAt(mount, place.fd);
}
