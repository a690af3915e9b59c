/** What of its volumes is in a pod's directory, and what of them is to be on the host. */
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { emptyVolume, POD } from '../abi/pod-directory.ts';
import {
  type EmptyVolumePlan,
  NO_VOLUMES,
  type PodVolume,
  parseVolumePlan,
  VOLUMES_ANNOTATION,
  type VolumePlan,
} from '../abi/volume-plan.ts';
import { annotationValue, type ImageManifest } from '../appc/index.ts';
import { replaceFile } from '../os/durable.ts';
import { Stage0Error } from './errors.ts';
import { makeClosedDirectory } from './pod-files.ts';
import type { PodRequest } from './pod-request.ts';
import { type VolumeRequest, volumeRequest } from './volume-request.ts';

const FILE_MODE = 0o640;

/** The record comes last: who reads it finds what it names. */
export function makeVolumes(pod: string, plan: VolumePlan): void {
  if (plan.volumes.length === 0) return;
  for (const volume of plan.volumes) makeVolume(pod, volume);
  replaceVolumes(pod, plan);
}

export function makeVolume(pod: string, volume: PodVolume): void {
  switch (volume.kind) {
    case 'host':
      return;
    case 'empty':
      makeEmpty(pod, volume);
      return;
    case 'named':
    case 'tmpfs':
    case 'limited':
    case 'block':
    case 'secret':
      // Nothing of it is in the pod's directory before the pod runs.
      return;
    default:
      volume satisfies never;
  }
}

/** In a directory that only root may pass, as apps may leave set-user-id programs there. */
function makeEmpty(pod: string, { key, mode, uid, gid }: EmptyVolumePlan): void {
  makeClosedDirectory(join(pod, POD.emptyVolumes));
  const path = join(pod, emptyVolume(key));
  mkdirSync(path, { recursive: true });
  chownSync(path, uid, gid);
  // Whatever the umask is; and a change of owner takes bits away.
  chmodSync(path, mode);
}

export function replaceVolumes(pod: string, plan: VolumePlan): void {
  replaceFile(join(pod, POD.volumes), JSON.stringify(plan), FILE_MODE);
}

/** Throws AbiError. */
export function readVolumes(pod: string): VolumePlan {
  const path = join(pod, POD.volumes);
  return existsSync(path) ? parseVolumePlan(JSON.parse(readFileSync(path, 'utf8'))) : NO_VOLUMES;
}

/** Sources that are to stay reachable in the pod's mount namespace: a stage1 that does not read the record mounts them by their paths. */
export function keptSources({ annotations }: ImageManifest, { volumes }: VolumePlan): string[] {
  if (annotationValue(annotations, VOLUMES_ANNOTATION) === 'true') return [];
  return volumes.flatMap((volume) => (volume.kind === 'host' ? [realpathSync(volume.source)] : []));
}

/** A stage1 that reads the manifest alone would know of these nothing, or something else. Throws Stage0Error `unsupported`. */
export function checkKinds({ name, annotations }: ImageManifest, { volumes, mounts }: VolumePlan): void {
  if (annotationValue(annotations, VOLUMES_ANNOTATION) === 'true') return;
  const further = volumes.find(({ kind }) => kind !== 'host' && kind !== 'empty');
  const part = mounts.find(({ subPath }) => subPath !== null);
  const what = further === undefined ? part && 'subPath' : furtherText(further);
  if (what === undefined) return;
  throw new Stage0Error(
    'unsupported',
    `volume ${further?.key ?? part?.volume}: ${name} knows no ${what} (its manifest has no ${VOLUMES_ANNOTATION})`,
  );
}

function furtherText({ kind }: PodVolume): string {
  return kind === 'limited' ? 'volumes with a size' : `volumes of kind ${kind}`;
}

/** What is to be on the host has to be there by now: no path of the host is made. Throws Stage0Error `bad-request`. */
export function checkSources(volumes: readonly VolumeRequest[]): void {
  for (const volume of volumes) {
    const source = sourceOf(volume);
    if (source === undefined) continue;
    try {
      statSync(source);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new Stage0Error('bad-request', `volume ${JSON.stringify(volume.name)}: ${reason}`, { cause });
    }
  }
}

/** The path of the host that it needs. */
function sourceOf(volume: VolumeRequest): string | undefined {
  switch (volume.kind) {
    case 'host':
    case 'block':
      return volume.source;
    case 'secret':
      return volume.origin.from === 'file' ? volume.origin.name : undefined;
    case 'empty':
    case 'named':
    case 'tmpfs':
      return undefined;
    default:
      return volume satisfies never;
  }
}

/** All that a pod is to have. */
export function requestedVolumes(pod: PodRequest): readonly VolumeRequest[] {
  if (pod.kind === 'apps') {
    const own = pod.apps.flatMap(({ mounts = [] }) => mounts.flatMap((mount) => mount.own ?? []));
    return [...(pod.volumes ?? []), ...own];
  }
  const { volumes, apps } = pod.manifest;
  const own = apps.flatMap(({ mounts }) => mounts.flatMap(({ appVolume }) => appVolume ?? []));
  return [...volumes, ...own].map(volumeRequest);
}
