import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import type { DiskSeal } from '../abi/root-disks.ts';
import { openDirectory } from '../os/descriptor.ts';
import { tryRename } from '../os/directory-entries.ts';
import { syncDirectory } from '../os/durable.ts';
import { check, isSystemError } from '../os/syscall.ts';
import { LayerDraft } from './draft.ts';
import { readLayerNote } from './layer-note.ts';
import type { StorePaths } from './layout.ts';
import type { StoreLocks } from './locks.ts';
import { namesIn } from './names.ts';

/** Directories in that of a layer: of the layer alone, and, by what they hash to, of chains of layers that it is the top of. */
const DISK = 'disk';
const IMAGE = 'image.erofs';
const NOTE = 'digest';
const CHAIN_DIGITS = 24;
/** In a draft that is thrown away. */
const REMOVED = 'removed';

/** A file system on its way into the store. */
export interface DiskDraft {
  /** An empty directory to work in. */
  readonly directory: string;
  /** Where the file is to be. */
  readonly image: string;
  /** Roots of the layers, the lowest first. */
  readonly layers: readonly string[];
  /** Of the files in them. */
  readonly bytes: number;
  /** Of the uppermost. */
  readonly digest: string;
}

/** Makes a draft's file. */
export type DiskMaker = (draft: DiskDraft) => Promise<MadeDisk>;

export interface MadeDisk {
  /** Of the whole file. */
  readonly digest: string;
  /** What a machine can check by what it reads of it. */
  readonly seal: DiskSeal;
}

/** One that a machine can have. */
export interface SealedDisk {
  /** Absolute. */
  readonly path: string;
  /** What is believed of it: where this is written only root can write. */
  readonly seal: DiskSeal;
}

/** One that is in the store. */
export interface StoredDisk {
  readonly path: string;
  /** That it had when it was made. */
  readonly digest: string;
  /** One of an earlier version has none, and is made anew for the next pod. */
  readonly seal: DiskSeal | undefined;
  remove(): void;
}

/**
 * Layers as files that are disks of machines: each is in its layer's directory, and goes with the layer. They are made from the
 * layers' trees when a machine first needs them.
 */
export class DiskImages {
  readonly #paths: StorePaths;
  readonly #locks: StoreLocks;

  constructor(paths: StorePaths, locks: StoreLocks) {
    this.#paths = paths;
    this.#locks = locks;
  }

  /** The image of one layer, or of a chain, by their names in the store, the lowest first; undefined where it is not made yet. */
  find(layers: readonly string[]): SealedDisk | undefined {
    const found = this.#read(topOf(layers), directoryOf(layers));
    return found?.seal && { path: found.path, seal: found.seal };
  }

  /** The same, made where it is not there: by one at a time, and whole or not at all. `waits` is called where another one is at it. */
  async ensure(
    layers: readonly string[],
    make: DiskMaker,
    signal: AbortSignal | undefined,
    waits?: () => void,
  ): Promise<SealedDisk> {
    const [top, directory] = [topOf(layers), directoryOf(layers)];
    const found = this.find(layers);
    if (found !== undefined) return found;
    const name = `${directory}-${top}`;
    const free = this.#locks.tryExclusive(name);
    if (free === undefined) waits?.();
    using _lock = free ?? (await this.#locks.exclusive(name, signal));
    return this.find(layers) ?? (await this.#make(layers, top, directory, make));
  }

  /** All of a layer. */
  of(layer: string): StoredDisk[] {
    const names = namesIn(join(this.#paths.layer, layer)).filter((name) => name.startsWith(DISK));
    return names.flatMap((name) => this.#read(layer, name) ?? []);
  }

  async #make(
    layers: readonly string[],
    top: string,
    directory: string,
    make: DiskMaker,
  ): Promise<SealedDisk> {
    using draft = LayerDraft.make(this.#paths);
    const made = join(draft.directory, DISK);
    mkdirSync(made, { mode: 0o700 });
    const image = join(made, IMAGE);
    const { layer: parent } = this.#paths;
    const notes = layers.flatMap((name) => readLayerNote(parent, name) ?? []);
    const bytes = notes.reduce((sum, { size }) => sum + size, 0);
    const digestOfTop = notes.at(-1)?.digest ?? top;
    const roots = layers.map((name) => join(parent, name, 'rootfs'));
    const { digest, seal } = await make({
      directory: draft.rootfs,
      image,
      layers: roots,
      bytes,
      digest: digestOfTop,
    });
    writeFileSync(join(made, NOTE), formatNote(digest, statSync(image).size, seal), { mode: 0o600 });
    for (const path of [image, join(made, NOTE), made]) sync(path);
    using from = openDirectory(draft.directory);
    const place = join(parent, top);
    this.#discard(top, directory);
    using to = openDirectory(place);
    check(tryRename(from, DISK, to, directory), 'renameat2', join(place, directory));
    syncDirectory(place);
    return { path: join(place, directory, IMAGE), seal };
  }

  /** Away in one step: half of one would be in the way of every later one. */
  #discard(layer: string, directory: string): void {
    using draft = LayerDraft.make(this.#paths);
    using from = openDirectory(join(this.#paths.layer, layer));
    using to = openDirectory(draft.directory);
    const result = tryRename(from, directory, to, REMOVED);
    if (result !== -constants.errno.ENOENT) check(result, 'renameat2', directory);
  }

  #read(layer: string, directory: string): StoredDisk | undefined {
    const place = join(this.#paths.layer, layer);
    try {
      const [digest = '', , seal = ''] = readFileSync(join(place, directory, NOTE), 'utf8').split('\n');
      const remove = () => this.#discard(layer, directory);
      return { path: join(place, directory, IMAGE), digest, seal: parseSeal(seal), remove };
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) return undefined;
      throw error;
    }
  }
}

function formatNote(digest: string, size: number, { blocks, salt, rootHash }: DiskSeal): string {
  return `${digest}\n${size}\n${blocks} ${salt} ${rootHash}\n`;
}

function parseSeal(line: string): DiskSeal | undefined {
  const [, blocks, salt, rootHash] = SEAL.exec(line) ?? [];
  if (blocks === undefined || salt === undefined || rootHash === undefined) return undefined;
  return { blocks: Number(blocks), salt, rootHash };
}

const SEAL = /^(\d+) ([0-9a-f]{64}) ([0-9a-f]{64})$/;

function topOf(layers: readonly string[]): string {
  const top = layers.at(-1);
  if (top === undefined) throw new RangeError('a disk image of no layers');
  return top;
}

function directoryOf(layers: readonly string[]): string {
  if (layers.length === 1) return DISK;
  const chain = createHash('sha256').update(layers.join(' on ')).digest('hex');
  return `${DISK}-${chain.slice(0, CHAIN_DIGITS)}`;
}

function sync(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
