/** Kinds of volumes that appc does not have, as a pod's record has them (`volume-plan.ts`). */
import type { FieldReader } from './json.ts';

export interface VolumePlanBase {
  /** Unique in the pod, and a file's name: NAME of one of the pod's, `APP.NAME` of one that an app has for itself. */
  readonly key: string;
  /** Nobody writes to it, whatever its mounts say. */
  readonly readOnly: boolean;
}

export type FurtherVolumePlan =
  | NamedVolumePlan
  | TmpfsVolumePlan
  | LimitedVolumePlan
  | BlockVolumePlan
  | SecretVolumePlan;

export const FURTHER_KINDS = ['named', 'tmpfs', 'limited', 'block', 'secret'] as const;

/** What the top of a new file system, or directory, is like. */
interface Top {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** A directory that outlives the pod: `namedVolume` of `pod-directory.ts`. It is made before the pod runs. */
export interface NamedVolumePlan extends VolumePlanBase, Top {
  readonly kind: 'named';
  /** What the host calls it. */
  readonly volume: string;
}

/** In the memory of the pod. */
export interface TmpfsVolumePlan extends VolumePlanBase, Top {
  readonly kind: 'tmpfs';
  /** Null: half of the memory. */
  readonly bytes: number | null;
}

/** As one of kind `empty`, which holds no more than so much. */
export interface LimitedVolumePlan extends VolumePlanBase, Top {
  readonly kind: 'limited';
  readonly bytes: number;
}

/** A file or block device with a file system of its own, which is made where there is nothing on it. */
export interface BlockVolumePlan extends VolumePlanBase {
  readonly kind: 'block';
  /** Absolute; links are followed. */
  readonly source: string;
  readonly uid: number;
  readonly gid: number;
}

/** A file in memory. Its content is read when the pod starts, and is in no record. */
export interface SecretVolumePlan extends VolumePlanBase {
  readonly kind: 'secret';
  readonly origin: SecretOrigin;
  readonly mode: number;
  /** Null: the app's. */
  readonly uid: number | null;
  readonly gid: number | null;
}

/** A file of the host, or a variable of the environment of the command that starts the pod. */
export interface SecretOrigin {
  readonly from: 'file' | 'environment';
  readonly name: string;
}

/** All secrets of a pod together: they travel in one message to PID 1. */
export const SECRETS_MAX_BYTES = 1024 * 1024;

const ID_MAX = 0xffff_fffe;
const VOLUME_NAME = /^[a-z0-9]+(-[a-z0-9]+)*$/;

/** @throws AbiError naming the field */
export function parseFurtherVolume(
  kind: FurtherVolumePlan['kind'],
  common: VolumePlanBase,
  volume: FieldReader,
): FurtherVolumePlan {
  switch (kind) {
    case 'named':
      return { kind, ...common, volume: parseVolumeName(volume), ...parseTop(volume) };
    case 'tmpfs':
      return {
        ...{ kind, ...common, ...parseTop(volume) },
        bytes: volume.has('bytes') ? parseBytes(volume) : null,
      };
    case 'limited':
      return { kind, ...common, bytes: parseBytes(volume), ...parseTop(volume) };
    case 'block':
      return { kind, ...common, source: volume.text('source'), ...parseOwner(volume) };
    case 'secret':
      return {
        ...{ kind, ...common, origin: parseOrigin(volume.object('origin')) },
        mode: volume.integer('mode', 0, 0o777),
        uid: volume.has('uid') ? volume.integer('uid', 0, ID_MAX) : null,
        gid: volume.has('gid') ? volume.integer('gid', 0, ID_MAX) : null,
      };
    default:
      return kind satisfies never;
  }
}

function parseTop(volume: FieldReader): Top {
  return { mode: volume.integer('mode', 0, 0o7777), ...parseOwner(volume) };
}

function parseOwner(volume: FieldReader) {
  return { uid: volume.integer('uid', 0, ID_MAX), gid: volume.integer('gid', 0, ID_MAX) };
}

function parseBytes(volume: FieldReader): number {
  return volume.integer('bytes', 1, Number.MAX_SAFE_INTEGER);
}

function parseOrigin(origin: FieldReader): SecretOrigin {
  return { from: origin.word('from', ['file', 'environment'] as const), name: origin.text('name') };
}

/** It becomes a path. */
function parseVolumeName(volume: FieldReader): string {
  const name = volume.text('volume', 255);
  if (!VOLUME_NAME.test(name)) volume.word('volume', []);
  return name;
}
