import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { NAMED_VOLUME, NAMED_VOLUMES } from '../abi/pod-directory.ts';
import { isACName } from '../appc/index.ts';
import { openDirectory } from '../os/descriptor.ts';
import { replaceFile, syncDirectory } from '../os/durable.ts';
import { type Lock, tryExclusive } from '../os/lock.ts';
import { ensureSharedDirectory } from '../os/shared-directory.ts';
import { isSystemError } from '../os/syscall.ts';
import { removeTree } from '../os/tree.ts';
import { VolumeError } from './error.ts';
import { formatVolumeRecord, parseVolumeRecord, type VolumeName, type VolumeRecord } from './record.ts';

/** What the directory that a pod sees is to be like. */
export interface VolumeRoot {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export const DEFAULT_ROOT: VolumeRoot = { mode: 0o755, uid: 0, gid: 0 };

const RECORD = 'record.json';
/** No name of a volume begins like that. */
const HIDDEN = '.';

/**
 * Volumes that outlive pods: `volumes/NAME` of the data directory, a record and the files. One that is made, or removed, has a
 * hidden name until it is whole, or as soon as it is not: a crash leaves nothing that looks like a volume. Who makes and removes holds
 * the host's lock of volumes.
 */
export class Volumes {
  readonly #directory: string;

  constructor(dataDirectory: string) {
    this.#directory = join(dataDirectory, NAMED_VOLUMES);
  }

  names(): VolumeName[] {
    return this.#entries().filter(isACName);
  }

  /** Undefined where there is none of that name. Throws VolumeError `bad-record`, `no-access`. */
  get(name: VolumeName): VolumeRecord | undefined {
    try {
      return parseVolumeRecord(name, readFileSync(join(this.#directory, name, RECORD), 'utf8'));
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) return undefined;
      if (isSystemError(error, 'EACCES')) throw noAccess(this.#directory, error);
      throw error;
    }
  }

  has(name: VolumeName): boolean {
    return lstatSync(join(this.#directory, name), { throwIfNoEntry: false }) !== undefined;
  }

  /** Where its files are. */
  path(name: VolumeName): string {
    return join(this.#directory, name, NAMED_VOLUME.data);
  }

  /** Throws VolumeError `exists`. It outlives a power cut. */
  create(record: VolumeRecord, root: VolumeRoot): void {
    const { name } = record;
    if (this.has(name)) throw new VolumeError('exists', `volume ${JSON.stringify(name)} is there already`);
    ensureSharedDirectory(this.#directory);
    const path = join(this.#directory, hiddenName('new'));
    ensureSharedDirectory(path);
    mkdirSync(join(path, NAMED_VOLUME.closed), { mode: 0o700 });
    makeRoot(join(path, NAMED_VOLUME.data), root);
    replaceFile(join(path, RECORD), formatVolumeRecord(record));
    renameSync(path, join(this.#directory, name));
    syncDirectory(this.#directory);
  }

  /**
   * From here on there is no such volume. Its files go when what is returned is called, which needs no lock and takes as long as there
   * are many. Throws VolumeError `no-volume`.
   */
  detach(name: VolumeName): () => void {
    if (!this.has(name)) throw noVolume(name);
    const lock = tryExclusive(join(this.#directory, name));
    if (lock === undefined) throw new VolumeError('no-access', `volume ${JSON.stringify(name)} is locked`);
    const hidden = hiddenName('old');
    renameSync(join(this.#directory, name), join(this.#directory, hidden));
    syncDirectory(this.#directory);
    return () => this.#discard(hidden, lock);
  }

  /** Removes what a crash has left between making or removing a volume and its end, as far as it can be removed now. */
  sweep(): void {
    for (const name of this.#entries().filter((entry) => entry.startsWith(HIDDEN))) {
      const lock = lockIfThere(join(this.#directory, name));
      if (lock !== undefined) this.#tryDiscard(name, lock);
    }
  }

  #tryDiscard(hidden: string, lock: Lock): void {
    try {
      this.#discard(hidden, lock);
    } catch (error) {
      // Something is mounted there, or cannot be changed: no other volume is the worse for it.
      if (!isSystemError(error, 'EXDEV', 'EBUSY', 'EPERM', 'ENOTEMPTY')) throw error;
    }
  }

  #discard(hidden: string, lock: Lock): void {
    using _ = lock;
    using directory = openDirectory(this.#directory);
    removeTree(directory, hidden);
  }

  #entries(): string[] {
    try {
      return readdirSync(this.#directory).sort();
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) return [];
      if (isSystemError(error, 'EACCES')) throw noAccess(this.#directory, error);
      throw error;
    }
  }
}

export function noVolume(name: VolumeName): VolumeError {
  return new VolumeError('no-volume', `no volume ${JSON.stringify(name)}`);
}

function makeRoot(path: string, { mode, uid, gid }: VolumeRoot): void {
  mkdirSync(path, { mode: 0o700 });
  chownSync(path, uid, gid);
  chmodSync(path, mode); // after chown, which may clear bits
  syncDirectory(dirname(path));
}

function hiddenName(kind: 'new' | 'old'): string {
  return `${HIDDEN}${kind}-${randomBytes(8).toString('hex')}`;
}

/** Undefined where somebody else is at it, or it is gone. */
function lockIfThere(path: string): Lock | undefined {
  try {
    return tryExclusive(path);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function noAccess(path: string, cause: unknown): VolumeError {
  return new VolumeError('no-access', `no permission to read ${path}: it is for root and the group rkt`, {
    cause,
  });
}
