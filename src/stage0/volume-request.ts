/** Volumes and mounts as flags ask for them, `--volume=NAME,kind=KIND,KEY=VALUE...`, each kind with keys of its own. */
import { ID_MAPS, type IdMap } from '../abi/volume-plan.ts';
import type { ACName, Mount, Volume } from '../appc/index.ts';
import { FURTHER_KINDS, type FurtherVolumeRequest, size, type VolumeRequestBase } from './volume-kinds.ts';
import { Words } from './volume-words.ts';

/** A volume, with what appc has no word for. Further kinds join here. */
export type VolumeRequest = HostVolumeRequest | EmptyVolumeRequest | FurtherVolumeRequest;

export interface HostVolumeRequest extends VolumeRequestBase {
  readonly kind: 'host';
  readonly source: string;
  /** Absent: as the stage1 has it. */
  readonly recursive?: boolean;
  /** Null: as the stage1 has it. */
  readonly idMap: IdMap | null;
}

export interface EmptyVolumeRequest extends VolumeRequestBase {
  readonly kind: 'empty';
  /** It makes no difference: what is new has nothing mounted below it. */
  readonly recursive?: boolean;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes; absent: as many as the host has. */
  readonly size?: number;
}

/** A volume at a path of an app; with `own`, one that the app has for itself. */
export interface MountRequest {
  readonly volume: ACName;
  readonly path: string;
  /** A part of the volume; appc has none. */
  readonly subPath?: string;
  readonly own?: VolumeRequest;
}

/** Reads `--volume`. Throws Stage0Error `bad-request`. */
export function parseVolumeRequest(text: string): VolumeRequest {
  const words = new Words('--volume', text, true);
  const volume = volumeOf(words);
  words.finish();
  return volume;
}

/** Reads `--mount=volume=NAME,target=PATH`. Throws Stage0Error `bad-request`. */
export function parseMountRequest(text: string): MountRequest {
  const words = new Words('--mount', text, false);
  const mount = { volume: words.name('volume'), path: words.target(), ...words.subPath() };
  words.finish();
  return mount;
}

/** Reads `--mnt-volume`: a `--volume` with a target. Throws Stage0Error `bad-request`. */
export function parseMountedVolume(text: string): MountRequest {
  const words = new Words('--mnt-volume', text, true);
  const path = words.target();
  const part = words.subPath();
  const own = volumeOf(words);
  words.finish();
  return { volume: own.name, path, ...part, own };
}

/** What a manifest says of a volume. */
export function volumeRequest(volume: Volume): VolumeRequest {
  const { name, kind } = volume;
  const common = {
    name,
    ...(volume.readOnly === undefined ? {} : { readOnly: volume.readOnly }),
    ...(volume.recursive === undefined ? {} : { recursive: volume.recursive }),
  };
  if (kind === 'host') return { kind, ...common, source: volume.source, idMap: null };
  return { kind, ...common, mode: Number.parseInt(volume.mode, 8), uid: volume.uid, gid: volume.gid };
}

/** As a manifest has it; a kind that appc does not have is told as the one that is most like it. */
export function appcVolume(request: VolumeRequest): Volume {
  const { name, kind } = request;
  const common = {
    name,
    ...(request.readOnly === undefined ? {} : { readOnly: request.readOnly }),
    ...('recursive' in request ? { recursive: request.recursive } : {}),
  };
  switch (kind) {
    case 'host':
      return { kind, ...common, source: request.source };
    case 'empty':
      return { kind, ...common, mode: octal(request.mode), uid: request.uid, gid: request.gid };
    case 'named':
    case 'tmpfs':
    case 'block':
    case 'secret':
      // Of the pod's record, not of its manifest: a stage1 that reads the manifest alone is not given such a pod.
      return { kind: 'empty', ...common, mode: '0755', uid: 0, gid: 0 };
    default:
      return request satisfies never;
  }
}

export function appcMount({ volume, path, own }: MountRequest): Mount {
  return { volume, path, ...(own === undefined ? {} : { appVolume: appcVolume(own) }) };
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}

const KINDS: Readonly<Record<string, (words: Words, base: VolumeRequestBase) => VolumeRequest>> = {
  host: (words, base) => ({
    kind: 'host',
    ...base,
    source: words.absolute('source'),
    ...words.maybeBoolean('recursive'),
    idMap: words.word('idmap', ID_MAPS) ?? null,
  }),
  empty: (words, base) => ({
    kind: 'empty',
    ...base,
    ...words.maybeBoolean('recursive'),
    mode: words.number('mode', 8, 0o7777) ?? 0o755,
    uid: words.number('uid', 10, 0xffff_fffe) ?? 0,
    gid: words.number('gid', 10, 0xffff_fffe) ?? 0,
    ...size(words),
  }),
  ...FURTHER_KINDS,
};

export const VOLUME_KINDS = Object.keys(KINDS);

function volumeOf(words: Words): VolumeRequest {
  const base = { name: words.name('name'), ...words.maybeBoolean('readOnly') };
  const kind = words.required('kind');
  const make = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined;
  if (make === undefined)
    throw words.refuse(`unknown volume kind ${JSON.stringify(kind)}: there are ${VOLUME_KINDS.join(', ')}`);
  return make(words, base);
}
