/** Volumes and mounts as flags ask for them, `--volume=NAME,kind=KIND,KEY=VALUE...`, each kind with keys of its own. */
import { ID_MAPS, type IdMap } from '../abi/volume-plan.ts';
import { type ACName, type Mount, parseACName, type Volume } from '../appc/index.ts';
import { Stage0Error } from './errors.ts';

/** A volume, with what appc has no word for. Further kinds join here. */
export type VolumeRequest = HostVolumeRequest | EmptyVolumeRequest;

interface VolumeRequestBase {
  readonly name: ACName;
  /** Absent: as its mount points say. */
  readonly readOnly?: boolean;
}

export interface HostVolumeRequest extends VolumeRequestBase {
  readonly kind: 'host';
  readonly source: string;
  /** Absent: as the stage1 has it. */
  readonly recursive?: boolean;
  readonly idMap: IdMap;
}

export interface EmptyVolumeRequest extends VolumeRequestBase {
  readonly kind: 'empty';
  /** It makes no difference: what is new has nothing mounted below it. */
  readonly recursive?: boolean;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** A volume at a path of an app; with `own`, one that the app has for itself. */
export interface MountRequest {
  readonly volume: ACName;
  readonly path: string;
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
  const mount = { volume: words.name('volume'), path: words.target() };
  words.finish();
  return mount;
}

/** Reads `--mnt-volume`: a `--volume` with a target. Throws Stage0Error `bad-request`. */
export function parseMountedVolume(text: string): MountRequest {
  const words = new Words('--mnt-volume', text, true);
  const path = words.target();
  const own = volumeOf(words);
  words.finish();
  return { volume: own.name, path, own };
}

/** What a manifest says of a volume. */
export function volumeRequest(volume: Volume): VolumeRequest {
  const { name, kind } = volume;
  const common = {
    name,
    ...(volume.readOnly === undefined ? {} : { readOnly: volume.readOnly }),
    ...(volume.recursive === undefined ? {} : { recursive: volume.recursive }),
  };
  if (kind === 'host') return { kind, ...common, source: volume.source, idMap: 'auto' };
  return { kind, ...common, mode: Number.parseInt(volume.mode, 8), uid: volume.uid, gid: volume.gid };
}

/** As a manifest has it; a kind that appc does not have is told as the one that is most like it. */
export function appcVolume(request: VolumeRequest): Volume {
  const { name, kind } = request;
  const common = {
    name,
    ...(request.readOnly === undefined ? {} : { readOnly: request.readOnly }),
    ...(request.recursive === undefined ? {} : { recursive: request.recursive }),
  };
  switch (kind) {
    case 'host':
      return { kind, ...common, source: request.source };
    case 'empty':
      return { kind, ...common, mode: octal(request.mode), uid: request.uid, gid: request.gid };
    default:
      return kind satisfies never;
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
    idMap: words.word('idmap', ID_MAPS) ?? 'auto',
  }),
  empty: (words, base) => ({
    kind: 'empty',
    ...base,
    ...words.maybeBoolean('recursive'),
    mode: words.number('mode', 8, 0o7777) ?? 0o755,
    uid: words.number('uid', 10, 0xffff_fffe) ?? 0,
    gid: words.number('gid', 10, 0xffff_fffe) ?? 0,
  }),
};

function volumeOf(words: Words): VolumeRequest {
  const base = { name: words.name('name'), ...words.maybeBoolean('readOnly') };
  const kind = words.required('kind');
  const make = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined;
  if (make === undefined)
    throw words.refuse(
      `unknown volume kind ${JSON.stringify(kind)}: there are ${Object.keys(KINDS).join(', ')}`,
    );
  return make(words, base);
}

/** `KEY=VALUE,...` of a flag. What nobody has asked for in the end is refused. */
export class Words {
  readonly #values = new Map<string, string>();

  /** `named`: the first word may be a name alone. */
  constructor(
    private readonly flag: string,
    private readonly text: string,
    named: boolean,
  ) {
    text.split(',').forEach((word, index) => {
      const equals = word.indexOf('=');
      if (equals < 0 && !(named && index === 0))
        throw this.refuse(`${JSON.stringify(word)} is not KEY=VALUE`);
      const key = equals < 0 ? 'name' : word.slice(0, equals);
      if (this.#values.has(key)) throw this.refuse(`${key} is given twice`);
      this.#values.set(key, word.slice(equals + 1));
    });
  }

  take(key: string): string | undefined {
    const value = this.#values.get(key);
    this.#values.delete(key);
    return value;
  }

  required(key: string): string {
    const value = this.take(key);
    if (value === undefined || value === '') throw this.refuse(`${key} is missing`);
    return value;
  }

  name(key: string): ACName {
    const text = this.required(key);
    try {
      return parseACName(text);
    } catch (cause) {
      throw this.refuse(`${JSON.stringify(text)} is no name of a volume`, cause);
    }
  }

  absolute(key: string): string {
    const path = this.required(key);
    if (path.startsWith('/') && !path.includes('\0')) return path;
    throw this.refuse(`${key} must be an absolute path, not ${JSON.stringify(path)}`);
  }

  /** In an app's root, from which a relative one begins, too. */
  target(): string {
    return this.required('target');
  }

  maybeBoolean<K extends string>(key: K): { readonly [P in K]?: boolean } {
    const found: { [P in K]?: boolean } = {};
    const text = this.take(key);
    if (text === undefined) return found;
    if (text !== 'true' && text !== 'false')
      throw this.refuse(`${key} is true or false, not ${JSON.stringify(text)}`);
    found[key] = text === 'true';
    return found;
  }

  number(key: string, base: 8 | 10, most: number): number | undefined {
    const text = this.take(key);
    if (text === undefined) return undefined;
    const value = Number.parseInt(text, base);
    if ((base === 8 ? /^[0-7]+$/ : /^\d+$/).test(text) && value <= most) return value;
    throw this.refuse(`${key}: ${JSON.stringify(text)} is no ${base === 8 ? 'mode in octal digits' : 'id'}`);
  }

  word<const W extends string>(key: string, words: readonly W[]): W | undefined {
    const text = this.take(key);
    const found = words.find((word) => word === text);
    if (text === undefined || found !== undefined) return found;
    throw this.refuse(`${key} is ${words.join(' or ')}, not ${JSON.stringify(text)}`);
  }

  /** Throws for what is left. */
  finish(): void {
    const [key] = this.#values.keys();
    if (key !== undefined) throw this.refuse(`unknown parameter ${JSON.stringify(key)}`);
  }

  refuse(why: string, cause?: unknown): Stage0Error {
    return new Stage0Error('bad-request', `${this.flag}: ${JSON.stringify(this.text)}: ${why}`, { cause });
  }
}
