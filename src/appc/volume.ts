import { boolean, type Cursor, expected, fields, integer, kernelString, oneOf } from './json.ts';
import { withoutUndefined } from './json-value.ts';
import { type ACName, readACName } from './names.ts';

/** Where an image expects a volume. */
export interface MountPoint {
  readonly name: ACName;
  readonly path: string;
  readonly readOnly: boolean;
}

/** Storage that a pod has: a path of the host, or an empty directory of its own. */
export type Volume = HostVolume | EmptyVolume;

export interface HostVolume {
  readonly kind: 'host';
  readonly name: ACName;
  readonly source: string;
  readonly readOnly?: boolean;
  readonly recursive?: boolean;
}

export interface EmptyVolume {
  readonly kind: 'empty';
  readonly name: ACName;
  readonly readOnly?: boolean;
  readonly recursive?: boolean;
  /** In octal digits, as chmod takes them. */
  readonly mode: string;
  readonly uid: number;
  readonly gid: number;
}

/** A volume put at a path of one app; `appVolume` stands in for the pod's volume of that name. */
export interface Mount {
  readonly volume: ACName;
  readonly path: string;
  readonly appVolume?: Volume;
}

/** Absolute and without `.`, `..` and double slashes. */
export function absolutePath(path: string): string {
  const kept: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') kept.pop();
    else if (part !== '' && part !== '.') kept.push(part);
  }
  return `/${kept.join('/')}`;
}

/** The largest id that is not (uid_t)-1, which system calls take as "leave it alone". */
const largestUserID = 2 ** 32 - 2;

export const readUserID = integer(0, largestUserID);

function readPath(at: Cursor): string {
  const path = kernelString(at);
  if (path === '') throw at.refuse('invalid-value', at.path, 'must not be empty');
  return path;
}

export function readAbsolutePath(at: Cursor): string {
  const path = readPath(at);
  if (!path.startsWith('/')) throw expected(at, 'an absolute path', 'invalid-value');
  return path;
}

export function readMountPoint(at: Cursor): MountPoint {
  const mountPoint = fields(at);
  return {
    name: mountPoint.required('name', readACName),
    path: mountPoint.required('path', readPath),
    readOnly: mountPoint.optional('readOnly', boolean) ?? false,
  };
}

export function readVolume(at: Cursor): Volume {
  const volume = fields(at);
  const kind = volume.required('kind', oneOf('host', 'empty'));
  const common = {
    name: volume.required('name', readACName),
    readOnly: volume.optional('readOnly', boolean),
    recursive: volume.optional('recursive', boolean),
  };
  if (kind === 'host') {
    refuseMembers(at, ['mode', 'uid', 'gid'], 'host');
    return withoutUndefined({ kind, ...common, source: volume.required('source', readAbsolutePath) });
  }
  refuseMembers(at, ['source'], 'empty');
  return withoutUndefined({
    kind,
    ...common,
    mode: volume.optional('mode', readMode) ?? '0755',
    uid: volume.optional('uid', readUserID) ?? 0,
    gid: volume.optional('gid', readUserID) ?? 0,
  });
}

export function readMount(at: Cursor): Mount {
  const mount = fields(at);
  return withoutUndefined({
    volume: mount.required('volume', readACName),
    path: mount.required('path', readPath),
    appVolume: mount.optional('appVolume', readVolume),
  });
}

/** In the order of the Go schema. */
export function volumeJson(volume: Volume) {
  const { kind, name, readOnly, recursive } = volume;
  if (kind === 'host') return { name, kind, source: volume.source, readOnly, recursive };
  return { name, kind, readOnly, recursive, mode: volume.mode, uid: volume.uid, gid: volume.gid };
}

export function mountJson({ volume, path, appVolume }: Mount) {
  return { volume, path, appVolume: appVolume && volumeJson(appVolume) };
}

export function mountPointJson({ name, path, readOnly }: MountPoint) {
  return { name, path, readOnly: readOnly || undefined };
}

function refuseMembers(at: Cursor, keys: readonly string[], kind: string): void {
  const members = fields(at);
  for (const key of keys) {
    const present = members.optional(key, (member) => member.value !== '') ?? false;
    if (present)
      throw at.refuse('invalid-value', `${at.path}.${key}`, `must not be set on a volume of kind ${kind}`);
  }
}

function readMode(at: Cursor): string {
  const mode = kernelString(at);
  if (!/^[0-7]{1,5}$/.test(mode)) throw expected(at, 'a mode in octal digits', 'invalid-value');
  return mode;
}
