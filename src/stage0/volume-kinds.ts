/** Kinds of volumes that rkt did not have: what `--volume` says of each, and what it is in a pod's record. */
import type { FurtherVolumePlan, SecretOrigin } from '../abi/further-volumes.ts';
import type { ACName } from '../appc/index.ts';
import { parseVolumeName, VolumeError, type VolumeName } from '../volume/index.ts';
import type { Words } from './volume-words.ts';

export interface VolumeRequestBase {
  readonly name: ACName;
  /** Absent: as its mount points say. */
  readonly readOnly?: boolean;
}

export type FurtherVolumeRequest =
  | NamedVolumeRequest
  | TmpfsVolumeRequest
  | BlockVolumeRequest
  | SecretVolumeRequest;

/** A volume of the host's that outlives pods; made where there is none of that name. */
export interface NamedVolumeRequest extends VolumeRequestBase {
  readonly kind: 'named';
  readonly source: VolumeName;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** In memory. */
export interface TmpfsVolumeRequest extends VolumeRequestBase {
  readonly kind: 'tmpfs';
  /** Bytes; absent: half of the memory, as the kernel has it. */
  readonly size?: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** A file system of its own on a file or a block device. */
export interface BlockVolumeRequest extends VolumeRequestBase {
  readonly kind: 'block';
  readonly source: string;
  readonly fs: 'ext4';
  /** Of its top directory, when it is made. */
  readonly uid: number;
  readonly gid: number;
}

/** A file in memory, whose content is in no file of the pod. */
export interface SecretVolumeRequest extends VolumeRequestBase {
  readonly kind: 'secret';
  readonly origin: SecretOrigin;
  readonly mode: number;
  /** Absent: the app's. */
  readonly uid?: number;
  readonly gid?: number;
}

const LARGEST_ID = 0xffff_fffe;
const MOST_MODE = 0o7777;

type Make = (words: Words, base: VolumeRequestBase) => FurtherVolumeRequest;

/** Rows of the table of kinds. */
export const FURTHER_KINDS = {
  named: (words, base) => ({
    ...{ kind: 'named', ...base, source: volumeName(words, base.name) },
    ...top(words, 0o755),
  }),
  tmpfs: (words, base) => ({ kind: 'tmpfs', ...base, ...size(words), ...top(words, 0o1777) }),
  block: (words, base) => ({
    ...{ kind: 'block', ...base, source: words.absolute('source') },
    fs: words.word('fs', ['ext4']) ?? 'ext4',
    uid: words.number('uid', 10, LARGEST_ID) ?? 0,
    gid: words.number('gid', 10, LARGEST_ID) ?? 0,
  }),
  secret: (words, base) => ({
    ...{ kind: 'secret', ...readOnlyOf(words, base), origin: origin(words) },
    mode: words.number('mode', 8, 0o777) ?? 0o400,
    ...maybe('uid', words.number('uid', 10, LARGEST_ID)),
    ...maybe('gid', words.number('gid', 10, LARGEST_ID)),
  }),
} satisfies Readonly<Record<string, Make>>;

/** Throws Stage0Error `bad-request`. */
export function size(words: Words): { readonly size?: number } {
  return maybe('size', words.size('size'));
}

function top(words: Words, mode: number) {
  return {
    mode: words.number('mode', 8, MOST_MODE) ?? mode,
    uid: words.number('uid', 10, LARGEST_ID) ?? 0,
    gid: words.number('gid', 10, LARGEST_ID) ?? 0,
  };
}

function volumeName(words: Words, name: ACName): VolumeName {
  const text = words.take('source') ?? name;
  try {
    return parseVolumeName(text);
  } catch (cause) {
    if (!(cause instanceof VolumeError)) throw cause;
    throw words.refuse(cause.message, cause);
  }
}

/** Nobody writes to a secret; that somebody may is not to be asked for in vain. */
function readOnlyOf(words: Words, base: VolumeRequestBase): VolumeRequestBase {
  if (base.readOnly === false) throw words.refuse('readOnly=false: a secret is read-only');
  return base;
}

function origin(words: Words): SecretOrigin {
  const variable = words.take('env');
  if (variable === undefined) return { from: 'file', name: words.absolute('source') };
  if (words.take('source') !== undefined) throw words.refuse('source and env exclude each other');
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(variable)) return { from: 'environment', name: variable };
  throw words.refuse(`${JSON.stringify(variable)} is no name of a variable`);
}

function maybe<K extends string>(key: K, value: number | undefined): { readonly [P in K]?: number } {
  const found: { [P in K]?: number } = {};
  if (value !== undefined) found[key] = value;
  return found;
}

/** What a pod's record says of it. */
export function plannedFurther(
  request: FurtherVolumeRequest,
  common: { readonly key: string; readonly readOnly: boolean },
): FurtherVolumePlan {
  switch (request.kind) {
    case 'named': {
      const { kind, source, mode, uid, gid } = request;
      return { kind, ...common, volume: source, mode, uid, gid };
    }
    case 'tmpfs': {
      const { kind, size = null, mode, uid, gid } = request;
      return { kind, ...common, bytes: size, mode, uid, gid };
    }
    case 'block': {
      const { kind, source, uid, gid } = request;
      return { kind, ...common, source, uid, gid };
    }
    case 'secret': {
      const { kind, origin, mode, uid = null, gid = null } = request;
      return { kind, ...common, readOnly: true, origin, mode, uid, gid };
    }
    default:
      return request satisfies never;
  }
}
