/** The volumes of one app in a mutable pod's directory, as it comes and as it goes. */
import { emptyVolume, limitedVolume } from '../abi/pod-directory.ts';
import type { VolumePlan } from '../abi/volume-plan.ts';
import type { Mutation } from './mutation.ts';
import type { PodApp } from './pod-request.ts';
import { ownKey, planVolumesOf, withoutVolumesOf, withVolumes } from './pod-volumes.ts';
import { makeVolume, readVolumes, replaceVolumes } from './volume-files.ts';

export interface ClearedApp {
  readonly app: string;
  /** Whether the pod's supervisor has let go of it. Otherwise the pod has ended, and what bounds volumes is lifted when that is removed. */
  readonly isReleased: boolean;
}

/** Throws Stage0Error `bad-request`, before anything is written. */
export function volumesOf(mutation: Mutation, app: PodApp): VolumePlan {
  return planVolumesOf([app], mutation.manifest);
}

/** Those that the pod has already stay as they are. The record comes last. */
export function placeVolumes({ path }: Mutation, more: VolumePlan): void {
  if (more.mounts.length === 0) return;
  const plan = readVolumes(path);
  const isNew = ({ key }: VolumePlan['volumes'][number]) =>
    plan.volumes.every((volume) => volume.key !== key);
  const volumes = more.volumes.filter(isNew);
  for (const volume of volumes) makeVolume(path, volume);
  replaceVolumes(path, withVolumes(plan, { ...more, volumes }));
}

/** Of an app whose root is mounted nowhere. `remove` takes a path of the pod's directory. */
export function clearVolumes(
  { path }: Pick<Mutation, 'path'>,
  { app, isReleased }: ClearedApp,
  remove: (path: string) => void,
): void {
  const plan = readVolumes(path);
  const own = plan.volumes.filter(({ key }) => key.startsWith(ownKey(app, '')));
  for (const { key } of own) {
    remove(emptyVolume(key));
    // What bounds it is lifted first, for which its directory is needed.
    if (isReleased) remove(limitedVolume(key));
  }
  if (plan.mounts.some((mount) => mount.app === app)) replaceVolumes(path, withoutVolumesOf(plan, app));
}
