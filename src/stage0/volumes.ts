import type { VolumePlan } from '../abi/volume-plan.ts';
import type { StringMap } from '../appc/index.ts';
import { exclusive } from '../os/lock.ts';
import { ensurePodsDirectory } from '../pod/directory.ts';
import {
  DEFAULT_ROOT,
  noVolume,
  parseVolumeName,
  type VolumeName,
  type VolumeRecord,
  type VolumeRoot,
  Volumes,
} from '../volume/index.ts';
import { Stage0Error } from './errors.ts';
import { type Host, volumesLock } from './host.ts';
import { namedVolumesOf, userText, type VolumeUser, volumeUsers } from './volume-use.ts';

export { DEFAULT_ROOT };

export interface VolumeSummary extends VolumeRecord {
  /** Where its files are. */
  readonly path: string;
  /** Pods that run with it, or may be run. */
  readonly users: readonly VolumeUser[];
}

export interface VolumeRequest {
  readonly name: string;
  readonly labels: StringMap;
  readonly root: VolumeRoot;
}

export interface VolumeListing {
  readonly volumes: readonly VolumeSummary[];
  readonly problems: readonly { readonly name: string; readonly error: unknown }[];
}

/** Gives the name. Throws VolumeError `bad-name`, `exists`. */
export async function createVolume(host: Host, request: VolumeRequest): Promise<string> {
  const name = parseVolumeName(request.name);
  ensurePodsDirectory(host.dataDirectory);
  using _ = await exclusive(volumesLock(host));
  const volumes = new Volumes(host.dataDirectory);
  volumes.sweep();
  volumes.create({ name, created: Date.now(), labels: request.labels }, request.root);
  return name;
}

export function volumeNames(host: Host): readonly string[] {
  return new Volumes(host.dataDirectory).names();
}

/** By name. One whose record cannot be read is a problem, and the others are listed. */
export function listVolumes(host: Host): VolumeListing {
  const volumes = new Volumes(host.dataDirectory);
  const users = volumeUsers(host);
  const found: VolumeSummary[] = [];
  const problems: { name: string; error: unknown }[] = [];
  for (const name of volumes.names()) {
    try {
      const record = volumes.get(name);
      if (record !== undefined) found.push(summary(volumes, record, users));
    } catch (error) {
      problems.push({ name, error });
    }
  }
  return { volumes: found, problems };
}

/** Throws VolumeError `bad-name`, `no-volume`, `bad-record`. */
export function inspectVolume(host: Host, text: string): VolumeSummary {
  const name = parseVolumeName(text);
  const volumes = new Volumes(host.dataDirectory);
  const record = volumes.get(name);
  if (record === undefined) throw noVolume(name);
  return summary(volumes, record, volumeUsers(host));
}

/**
 * Removes a volume and all files in it. Throws VolumeError `bad-name`, `no-volume`; Stage0Error `busy`, which says what pod has it: a pod
 * names its volumes before it takes the lock to use them, so that none is missed.
 */
export async function removeVolume(host: Host, text: string): Promise<string> {
  const name = parseVolumeName(text);
  const volumes = new Volumes(host.dataDirectory);
  // Before the lock, for whose file there may be no place yet.
  if (!volumes.has(name)) throw noVolume(name);
  const discard = await detach(host, volumes, name);
  discard();
  return name;
}

async function detach(host: Host, volumes: Volumes, name: VolumeName): Promise<() => void> {
  using _ = await exclusive(volumesLock(host));
  volumes.sweep();
  const [user] = volumeUsers(host).get(name) ?? [];
  if (user !== undefined)
    throw new Stage0Error('busy', `volume ${JSON.stringify(name)} is used by ${userText(user)}`);
  return volumes.detach(name);
}

/** Makes those of a pod's that are not there yet. Its record, which names them, is there: from then on nobody removes them. */
export async function readyNamedVolumes(
  host: Host,
  plan: VolumePlan,
  signal: AbortSignal | undefined,
): Promise<void> {
  const names = namedVolumesOf(plan);
  if (names.size === 0) return;
  using _ = await exclusive(volumesLock(host), signal);
  const volumes = new Volumes(host.dataDirectory);
  for (const [name, root] of names)
    if (!volumes.has(name)) volumes.create({ name, created: Date.now(), labels: {} }, root);
}

function summary(
  volumes: Volumes,
  record: VolumeRecord,
  users: ReadonlyMap<VolumeName, readonly VolumeUser[]>,
): VolumeSummary {
  return { ...record, path: volumes.path(record.name), users: users.get(record.name) ?? [] };
}
