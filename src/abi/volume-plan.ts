/**
 * The volumes of a pod, and where its apps have them: `volumes.json` of its directory. stage0 has matched the manifests' volumes,
 * mounts and mount points; the stage1 makes what this says. It is beside the manifest, which knows two kinds of volumes only.
 */
import {
  FURTHER_KINDS,
  type FurtherVolumePlan,
  parseFurtherVolume,
  type VolumePlanBase,
} from './further-volumes.ts';
import { FieldReader } from './json.ts';

export const VOLUME_PLAN_VERSION = 1;

/**
 * Annotation of a stage1's manifest, `true`: its `run` reads `volumes.json`. Others read the manifest, as rkt's: a pod with kinds of
 * volumes that appc does not have is not started in them.
 */
export const VOLUMES_ANNOTATION = 'coreos.com/rkt/stage1/volumes';

export interface VolumePlan {
  readonly version: typeof VOLUME_PLAN_VERSION;
  readonly volumes: readonly PodVolume[];
  readonly mounts: readonly VolumeMount[];
}

export const NO_VOLUMES: VolumePlan = { version: VOLUME_PLAN_VERSION, volumes: [], mounts: [] };

/** Further kinds join here. */
export type PodVolume = HostVolumePlan | EmptyVolumePlan | FurtherVolumePlan;

/** A path of the host: a directory, a file or a device. */
export interface HostVolumePlan extends VolumePlanBase {
  readonly kind: 'host';
  /** Absolute; links are followed. */
  readonly source: string;
  /** With what is mounted below it; null: as the stage1 has it. */
  readonly recursive: boolean | null;
  /** Null: as the stage1 has it. */
  readonly idMap: IdMap | null;
}

/** A directory of the pod's own (`emptyVolume` of `pod-directory.ts`), made with that mode and owner, which goes with it. */
export interface EmptyVolumePlan extends VolumePlanBase {
  readonly kind: 'empty';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Nobody has asked for it: an image has a mount point of that name, for which there is no volume. */
  readonly mountPoint: string | null;
}

/**
 * Who owns on the host what apps write. `auto`: ids that nobody has there (`VOLUME_IDS`), so that a set-user-id file is no user's of the
 * host; `none`: the very ids of the apps.
 */
export const ID_MAPS = ['auto', 'none'] as const;
export type IdMap = (typeof ID_MAPS)[number];

/** What ids from 0 on in a pod are on a volume's disk: the range that systemd keeps for files of containers ("foreign"). */
export const VOLUME_IDS = { first: 2147352576, count: 65536 } as const;

export interface VolumeMount {
  readonly app: string;
  /** A volume's key. */
  readonly volume: string;
  /** In the app's root: absolute, without `.`, `..` and double slashes. */
  readonly target: string;
  readonly readOnly: boolean;
  /** A directory or file of the volume instead of all of it; relative, without `.` and `..`. */
  readonly subPath: string | null;
  /** An empty volume gets, when the app starts, what the image has at the target, and its mode and owner. */
  readonly seed: boolean;
}

const LIST_MAX = 4096;
const ID_MAX = 0xffff_fffe;
const KEY = /^[a-z0-9][a-z0-9.-]*$/;

/** @throws AbiError naming the field */
export function parseVolumePlan(value: unknown): VolumePlan {
  const plan = new FieldReader(value, 'volumes');
  plan.integer('version', VOLUME_PLAN_VERSION, VOLUME_PLAN_VERSION);
  return {
    version: VOLUME_PLAN_VERSION,
    volumes: plan.list('volumes', LIST_MAX, (volume, where) => parseVolume(new FieldReader(volume, where))),
    mounts: plan.list('mounts', LIST_MAX, (mount, where) => parseMount(new FieldReader(mount, where))),
  };
}

function parseVolume(volume: FieldReader): PodVolume {
  const kind = volume.word('kind', ['host', 'empty', ...FURTHER_KINDS] as const);
  const common = { key: parseKey(volume, 'key'), readOnly: volume.boolean('readOnly') };
  switch (kind) {
    case 'host':
      return {
        kind,
        ...common,
        source: volume.text('source'),
        recursive: volume.has('recursive') ? volume.boolean('recursive') : null,
        idMap: volume.has('idMap') ? volume.word('idMap', ID_MAPS) : null,
      };
    case 'empty':
      return {
        kind,
        ...common,
        mode: volume.integer('mode', 0, 0o7777),
        uid: volume.integer('uid', 0, ID_MAX),
        gid: volume.integer('gid', 0, ID_MAX),
        mountPoint: volume.has('mountPoint') ? volume.text('mountPoint') : null,
      };
    default:
      return parseFurtherVolume(kind, common, volume);
  }
}

function parseMount(mount: FieldReader): VolumeMount {
  return {
    app: mount.text('app'),
    volume: parseKey(mount, 'volume'),
    target: mount.text('target'),
    readOnly: mount.boolean('readOnly'),
    subPath: mount.has('subPath') ? mount.text('subPath') : null,
    seed: mount.boolean('seed'),
  };
}

/** It becomes a path. */
function parseKey(fields: FieldReader, name: string): string {
  const key = fields.text(name, 600);
  if (!KEY.test(key)) fields.word(name, []);
  return key;
}
