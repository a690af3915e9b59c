import {
  type MountRequest,
  parseMountedVolume,
  parseMountRequest,
  parseVolumeRequest,
  type VolumeRequest,
} from '../stage0/volume-request.ts';
import type { FlagValues } from './app-arguments.ts';
import { Flag, values } from './flag.ts';
import { all } from './flag-values.ts';

export const VOLUME_WORDS = 'NAME,kind=KIND,...';
export const MOUNT_WORDS = 'volume=NAME,target=PATH[,subPath=PATH]';
export const MOUNTED_VOLUME_WORDS = 'name=NAME,kind=KIND,target=PATH,...';

export const VOLUME_FLAG = new Flag(
  'volume',
  values(VOLUME_WORDS),
  'a volume, of kind host, empty, named, tmpfs, block or secret (docs/volumes.md)',
);

/** Of the image before it; before the first image, of all apps. */
export const MOUNT_FLAG = new Flag(
  'mount',
  values(MOUNT_WORDS),
  'a volume at a path of the app (before the first image: of all apps)',
);

/** Of an app that comes to a pod, which has no volumes of its own. */
export const MOUNTED_VOLUME_FLAG = new Flag(
  'mnt-volume',
  values(MOUNTED_VOLUME_WORDS),
  'a volume for this app, as --volume of run, and where it is',
);

/** Throws Stage0Error `bad-request`. */
export function volumesRequest(flags: FlagValues): { readonly volumes?: readonly VolumeRequest[] } {
  const texts = all(flags, VOLUME_FLAG.name());
  return texts.length === 0 ? {} : { volumes: texts.map(parseVolumeRequest) };
}

/** Throws Stage0Error `bad-request`. */
export function mountsRequest(flags: FlagValues): { readonly mounts?: readonly MountRequest[] } {
  const mounts = [
    ...all(flags, MOUNT_FLAG.name()).map(parseMountRequest),
    ...all(flags, MOUNTED_VOLUME_FLAG.name()).map(parseMountedVolume),
  ];
  return mounts.length === 0 ? {} : { mounts };
}

/** What is to be in a manifest must not have what is to be in none. */
export function withoutSecrets(
  environment: Readonly<Record<string, string | undefined>>,
  { volumes = [] }: { readonly volumes?: readonly VolumeRequest[] },
): Readonly<Record<string, string | undefined>> {
  const secrets = volumes.flatMap((volume) =>
    volume.kind === 'secret' && volume.origin.from === 'environment' ? [volume.origin.name] : [],
  );
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !secrets.includes(name)));
}
