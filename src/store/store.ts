import { readdirSync, readFileSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { type ImageID, parseImageID } from '../appc/index.ts';
import { type Digest, digestHex } from '../oci/index.ts';
import { replaceFile } from '../os/durable.ts';
import { ensureLockFile, exclusive, type Lock } from '../os/lock.ts';
import { isSystemError } from '../os/syscall.ts';
import { LAYER_NOTE, LayerDraft } from './draft.ts';
import { StoreError } from './error.ts';
import { makeStoreDirectories, type StorePaths, storePaths } from './layout.ts';
import { formatRecord, type ImageRecord, type ImportedImage, parseRecord } from './record.ts';
import { SourceCache } from './source-cache.ts';

// A page of mount options must hold the names of an image's layers; the whole digest is in a file of the layer.
const LAYER_NAME_DIGITS = 24;
const LEAST_ID_DIGITS = 2;

/** The store of a data directory; nothing is made there before something is imported. */
export function openStore(dataDirectory: string): Store {
  return new Store(dataDirectory);
}

/**
 * Images and their layers, as files. A record is written after its layers are on the disk, each is renamed into place whole:
 * a crash at any point leaves at most a directory in `tmp/`, which the next import removes.
 */
export class Store {
  readonly sources: SourceCache;
  readonly #dataDirectory: string;
  readonly #paths: StorePaths;

  constructor(dataDirectory: string) {
    this.#dataDirectory = dataDirectory;
    this.#paths = storePaths(dataDirectory);
    this.sources = new SourceCache(this.#paths.source);
  }

  /** Absolute path of the directory in which `layerName` is a relative path. */
  get layerDirectory(): string {
    return this.#paths.layer;
  }

  /** The image of this id, if the store has it. @throws StoreError bad-record */
  get(id: ImageID): ImageRecord | undefined {
    const path = this.#recordPath(id);
    const text = readIfThere(path);
    return text === undefined ? undefined : parseRecord(text, path, statSync(path).mtimeMs);
  }

  /** The ids of all images, in the order of their names. */
  list(): ImageID[] {
    return this.#recordNames().map(parseImageID);
  }

  /** The one image whose id begins like this. @throws StoreError with rkt's texts */
  resolve(prefix: string): ImageID {
    const id = prefix.length > FULL_ID ? prefix.slice(0, FULL_ID) : prefix;
    const digits = /^sha(?:512|256)-([0-9a-f]*)$/.exec(id)?.[1];
    if (digits === undefined) throw new StoreError('no-image', `no image IDs found for "${prefix}"`);
    if (digits.length < LEAST_ID_DIGITS)
      throw new StoreError('id-too-short', `image ID too short: "${prefix}"`);
    const [first, second] = this.#recordNames().filter((name) => name.startsWith(id));
    if (first === undefined) throw new StoreError('no-image', `no image IDs found for "${prefix}"`);
    if (second !== undefined) throw new StoreError('ambiguous-id', `ambiguous image ID: "${prefix}"`);
    return parseImageID(first);
  }

  /**
   * Writes an image's record, unless that is what is there, and notes its use. Its layers must be there. One that is a stage1
   * stays one: the same id is the same content.
   */
  async put(image: ImportedImage): Promise<ImageRecord> {
    using _lock = await this.lock(`image-${image.id}`);
    return this.#write({ ...image, isStage1: this.#isStage1(image.id) });
  }

  /** Notes that the operator has given this image as a stage1. */
  async markStage1(image: ImageRecord): Promise<ImageRecord> {
    if (image.isStage1) return image;
    using _lock = await this.lock(`image-${image.id}`);
    return this.#write({ ...image, isStage1: true });
  }

  /** Notes that an image is being used now. */
  touch(id: ImageID): void {
    const now = new Date();
    utimesSync(this.#recordPath(id), now, now);
  }

  /** Whether all of an image's layers are in their places. */
  isComplete(record: ImageRecord): boolean {
    return record.layers.every((layer) => this.hasLayer(layer));
  }

  /** @throws StoreError layer-mismatch */
  hasLayer(digest: Digest): boolean {
    return this.layerSize(digest) !== undefined;
  }

  /** Bytes of a layer's files; undefined where the layer is not in the store. @throws StoreError layer-mismatch */
  layerSize(digest: Digest): number | undefined {
    const path = join(this.#paths.layer, layerName(digest), LAYER_NOTE);
    const note = readIfThere(path);
    if (note === undefined) return undefined;
    const [found, size] = note.split('\n');
    if (found === digest) return Number(size);
    throw new StoreError('layer-mismatch', `layer ${path} is of ${found}, not of ${digest}`);
  }

  /** Absolute path of a layer's root file system. @throws StoreError layer-missing, layer-mismatch */
  layerPath(digest: Digest): string {
    return join(this.#paths.layer, this.layerName(digest));
  }

  /** The same relative to `layerDirectory`: short, for mount options. @throws StoreError layer-missing, layer-mismatch */
  layerName(digest: Digest): string {
    if (!this.hasLayer(digest)) throw new StoreError('layer-missing', `layer ${digest} is not in the store`);
    return `${layerName(digest)}/rootfs`;
  }

  /** To be called before anything is written. */
  prepare(): void {
    makeStoreDirectories(this.#dataDirectory);
  }

  draftLayer(): LayerDraft {
    return LayerDraft.make(this.#paths);
  }

  /** Keeps a finished draft, unless the same layer came from elsewhere meanwhile. @throws StoreError layer-mismatch */
  keepLayer(draft: LayerDraft, digest: Digest, size: number): void {
    if (!draft.keep(layerName(digest), { digest, size })) this.hasLayer(digest);
  }

  /** One importer at a time of what `key` stands for: the others wait and then find it in the store. */
  lock(key: string, signal?: AbortSignal): Promise<Lock> {
    return exclusive(ensureLockFile(join(this.#paths.locks, key)), signal);
  }

  #write(record: Omit<ImageRecord, 'lastUsed'>): ImageRecord {
    const path = this.#recordPath(record.id);
    const text = formatRecord(record);
    if (readIfThere(path) === text) this.touch(record.id);
    else replaceFile(path, text);
    return { ...record, lastUsed: statSync(path).mtimeMs };
  }

  // A record that cannot be read says nothing, and is about to be replaced.
  #isStage1(id: ImageID): boolean {
    try {
      return this.get(id)?.isStage1 === true;
    } catch (error) {
      if (error instanceof StoreError) return false;
      throw error;
    }
  }

  #recordPath(id: ImageID): string {
    return join(this.#paths.image, `${id.slice(0, FULL_ID)}${SUFFIX}`);
  }

  #recordNames(): string[] {
    try {
      const names = readdirSync(this.#paths.image).sort();
      return names.filter((name) => name.endsWith(SUFFIX)).map((name) => name.slice(0, -SUFFIX.length));
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) return [];
      throw error;
    }
  }
}

const SUFFIX = '.json';
const FULL_ID = 'sha512-'.length + 64;

function layerName(digest: Digest): string {
  return digestHex(digest).slice(0, LAYER_NAME_DIGITS);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}
