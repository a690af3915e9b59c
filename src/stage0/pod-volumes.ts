/** Which volume is where in which app: manifests' volumes, mounts and mount points, matched. Pure. */
import {
  type PodVolume,
  VOLUME_PLAN_VERSION,
  type VolumeMount,
  type VolumePlan,
} from '../abi/volume-plan.ts';
import { absolutePath, type Mount, type MountPoint, type PodManifest, type Volume } from '../appc/index.ts';
import type { ImageRecord } from '../store/index.ts';
import { Stage0Error } from './errors.ts';
import type { PodApp } from './pod-request.ts';
import { plannedFurther } from './volume-kinds.ts';
import { type VolumeRequest, volumeRequest } from './volume-request.ts';

/** What flags say of volumes beyond the manifest, by their keys. */
export type VolumeRequests = ReadonlyMap<string, VolumeRequest>;

/** A volume that an app has for itself. */
export function ownKey(app: string, volume: string): string {
  return `${app}.${volume}`;
}

function planVolumes(
  apps: readonly PodApp[],
  volumes: readonly Volume[],
  requests: VolumeRequests,
): VolumePlan {
  const pod = new Map(volumes.map((volume) => [volume.name as string, volume]));
  const wishes = apps.flatMap((app) => {
    const own = wishesOf(app, pod, requests);
    refuseOverlaps(app.app.name, own);
    return own;
  });
  const found = new Map<string, PodVolume>();
  for (const { volume, key } of wishes)
    if (!found.has(key)) {
      const readOnly = wishes.every((other) => other.key !== key || other.mount.readOnly);
      found.set(key, planned(volume, key, readOnly));
    }
  return {
    version: VOLUME_PLAN_VERSION,
    volumes: [...found.values()],
    mounts: wishes.map(({ mount }) => mount),
  };
}

/** Of a pod with what its flags say. Throws Stage0Error `bad-request` for a mount of a volume that is not there, and for targets that overlap. */
export function planVolumesOf(
  apps: readonly PodApp[],
  { volumes }: PodManifest,
  requests: readonly VolumeRequest[] = [],
): VolumePlan {
  const own = apps.flatMap(({ app, ownVolumes }) =>
    ownVolumes.map((volume) => [ownKey(app.name, volume.name), volume] as const),
  );
  return planVolumes(
    apps,
    volumes,
    new Map([...requests.map((volume) => [volume.name, volume] as const), ...own]),
  );
}

/** The plan with another app's volumes and mounts. */
export function withVolumes(plan: VolumePlan, more: VolumePlan): VolumePlan {
  return { ...plan, volumes: [...plan.volumes, ...more.volumes], mounts: [...plan.mounts, ...more.mounts] };
}

/** The plan without what only that app has. */
export function withoutVolumesOf(plan: VolumePlan, app: string): VolumePlan {
  return {
    ...plan,
    volumes: plan.volumes.filter(({ key }) => !key.startsWith(`${app}.`)),
    mounts: plan.mounts.filter((mount) => mount.app !== app),
  };
}

interface Wish {
  readonly key: string;
  readonly volume: VolumeRequest | ImplicitVolume;
  readonly mount: VolumeMount;
}

/** Nobody has asked for it. */
interface ImplicitVolume {
  readonly kind: 'implicit';
  readonly mountPoint: string;
}

/** Mounts first; then mount points that no mount is at, each with the pod's volume of its name, or an empty one. */
function wishesOf(
  { app, image, subPaths }: PodApp,
  pod: ReadonlyMap<string, Volume>,
  requests: VolumeRequests,
): Wish[] {
  const mountPoints = app.app?.mountPoints ?? [];
  const asked = app.mounts.map((mount) => {
    const found = mount.appVolume ?? pod.get(mount.volume);
    if (found === undefined)
      throw new Stage0Error(
        'bad-request',
        `app ${app.name}: could not find volume ${JSON.stringify(mount.volume)}`,
      );
    const key = mount.appVolume === undefined ? mount.volume : ownKey(app.name, mount.volume);
    const request = requests.get(key) ?? volumeRequest(found);
    const { mount: all, ...rest } = wish(app.name, key, request, mount, mountPointOf(mountPoints, mount));
    return { ...rest, mount: { ...all, subPath: subPaths.get(all.target) ?? null } };
  });
  const taken = new Set(asked.map(({ mount }) => mount.target));
  const rest = mountPoints.filter(({ path }) => !taken.has(absolutePath(path)));
  return [...asked, ...rest.map((mountPoint) => ofMountPoint(app.name, image, mountPoint, pod, requests))];
}

function mountPointOf(mountPoints: readonly MountPoint[], { volume }: Mount): MountPoint | undefined {
  return mountPoints.find(({ name }) => name === volume);
}

function ofMountPoint(
  app: string,
  image: ImageRecord,
  mountPoint: MountPoint,
  pod: ReadonlyMap<string, Volume>,
  requests: VolumeRequests,
): Wish {
  const { name, path } = mountPoint;
  const volume = pod.get(name);
  if (volume !== undefined)
    return wish(app, name, requests.get(name) ?? volumeRequest(volume), { path }, mountPoint);
  const { mount, ...implicit } = wish(
    app,
    ownKey(app, name),
    { kind: 'implicit', mountPoint: name },
    { path },
    mountPoint,
  );
  return { ...implicit, mount: { ...mount, seed: isOfDocker(image) } };
}

/** The volume's own word counts for more than the mount point's, as in rkt. */
function wish(
  app: string,
  key: string,
  volume: VolumeRequest | ImplicitVolume,
  { path }: Pick<Mount, 'path'>,
  mountPoint: MountPoint | undefined,
): Wish {
  const said = volume.kind === 'implicit' ? undefined : volume.readOnly;
  const readOnly = volume.kind === 'secret' || (said ?? mountPoint?.readOnly ?? false);
  const mount = { app, volume: key, target: target(app, path), readOnly, subPath: null, seed: false };
  return { key, volume, mount };
}

function target(app: string, path: string): string {
  const absolute = absolutePath(path);
  if (absolute === '/')
    throw new Stage0Error('bad-request', `app ${app}: a volume cannot be the whole file system`);
  return absolute;
}

function planned(volume: VolumeRequest | ImplicitVolume, key: string, readOnly: boolean): PodVolume {
  switch (volume.kind) {
    case 'implicit':
      return {
        ...{ kind: 'empty', key, readOnly, mode: 0o755, uid: 0, gid: 0 },
        mountPoint: volume.mountPoint,
      };
    case 'host': {
      const { kind, source, recursive = null, idMap } = volume;
      return { kind, key, readOnly, source, recursive, idMap };
    }
    case 'empty': {
      const { kind, mode, uid, gid, size } = volume;
      if (size !== undefined) return { kind: 'limited', key, readOnly, bytes: size, mode, uid, gid };
      return { kind, key, readOnly, mode, uid, gid, mountPoint: null };
    }
    default:
      return plannedFurther(volume, { key, readOnly });
  }
}

/** appc 0.8.11, ace.md, "Volume Setup". What an image has of itself, one below the other, nobody can help. */
function refuseOverlaps(app: string, wishes: readonly Wish[]): void {
  wishes.forEach((one, index) => {
    for (const other of wishes.slice(index + 1)) {
      const [a, b] = [one.mount.target, other.mount.target];
      if (one.volume.kind === 'implicit' && other.volume.kind === 'implicit' && a !== b) continue;
      if (holds(a, b) || holds(b, a))
        throw new Stage0Error(
          'bad-request',
          `app ${app}: volumes ${one.mount.volume} and ${other.mount.volume} overlap: ${a} and ${b}`,
        );
    }
  });
}

function holds(directory: string, path: string): boolean {
  return path === directory || path.startsWith(`${directory}/`);
}

/** As it was, or by way of a converter: its volumes begin with what the image has there. */
function isOfDocker({ id, manifest }: ImageRecord): boolean {
  return (
    id.startsWith('sha256-') || manifest.annotations.some(({ name }) => name.startsWith('appc.io/docker/'))
  );
}
