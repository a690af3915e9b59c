import { join } from 'node:path';
import type { ImageID } from '../appc/index.ts';
import type { Digest } from '../oci/index.ts';
import { Blobs } from './blobs.ts';
import { DiskImages } from './disk-images.ts';
import { LayerDraft } from './draft.ts';
import { StoreError } from './error.ts';
import { guardStore } from './guard.ts';
import { layerName, readLayerNote } from './layer-note.ts';
import { makeStoreDirectories, type StorePaths, storePaths } from './layout.ts';
import { StoreLocks } from './locks.ts';
import { sweepTemporaries } from './notes.ts';
import { Pins } from './pins.ts';
import { formatRecord, type ImageRecord, type ImageSummary, type ImportedImage } from './record.ts';
import { FULL_ID, RecordFiles, recordLock } from './record-files.ts';
import { RemoteNotes } from './remotes.ts';
import { SourceCache, sourceLock } from './source-cache.ts';
import { Stage1Marks } from './stage1-marks.ts';
import { type Swept, sweep, sweepPartials, type Usage } from './sweep.ts';

const LEAST_ID_DIGITS = 2;

/** The store of a data directory; nothing is made there before something is imported. @throws StoreError unsafe */
export function openStore(dataDirectory: string): Store {
  return new Store(dataDirectory);
}

/**
 * Images, the blobs that they were fetched as, and their layers, as files. A record is written after its blobs and layers are on
 * the disk, each is renamed into place whole: a crash at any point leaves at most something in `tmp/` and `partial/`,
 * which the next import removes or goes on with.
 */
export class Store {
  readonly sources: SourceCache;
  readonly remotes: RemoteNotes;
  readonly blobs: Blobs;
  readonly locks: StoreLocks;
  readonly diskImages: DiskImages;
  readonly #dataDirectory: string;
  readonly #paths: StorePaths;
  readonly #records: RecordFiles;
  readonly #marks: Stage1Marks;
  #isPrepared = false;

  constructor(dataDirectory: string) {
    this.#dataDirectory = dataDirectory;
    this.#paths = storePaths(dataDirectory);
    guardStore(this.#paths);
    this.remotes = new RemoteNotes(this.#paths.remote);
    this.blobs = new Blobs(this.#paths);
    this.locks = new StoreLocks(this.#paths.locks);
    this.diskImages = new DiskImages(this.#paths, this.locks);
    this.sources = new SourceCache(this.#paths.source, this.locks);
    this.#records = new RecordFiles(this.#paths.image);
    this.#marks = new Stage1Marks(this.#paths.stage1);
  }

  /** Absolute path of the directory in which `layerName` is a relative path. */
  get layerDirectory(): string {
    return this.#paths.layer;
  }

  /** To be called before anything is written. */
  prepare(): void {
    if (!this.#isPrepared) makeStoreDirectories(this.#dataDirectory);
    this.#isPrepared = true;
  }

  /** What keeps layers and blobs from being swept as long as it is held. */
  pins(): Pins {
    return new Pins(this.locks);
  }

  /** The image of this id, if the store has it. @throws StoreError bad-record */
  get(id: ImageID): ImageRecord | undefined {
    const image = this.#records.find(id);
    return image === undefined ? undefined : { ...image, isStage1: this.#marks.has(image) };
  }

  /** What a list shows of an image. @throws StoreError bad-record */
  summary(id: ImageID): ImageSummary | undefined {
    return this.#records.summary(id);
  }

  /** The ids of all images, in the order of their names. */
  list(): ImageID[] {
    return this.#records.list();
  }

  /** The one image whose id begins like this. @throws StoreError with rkt's texts */
  resolve(prefix: string): ImageID {
    const id = prefix.length > FULL_ID ? prefix.slice(0, FULL_ID) : prefix;
    const digits = /^sha(?:512|256)-([0-9a-f]*)$/.exec(id)?.[1];
    if (digits === undefined) throw new StoreError('no-image', `no image IDs found for "${prefix}"`);
    if (digits.length < LEAST_ID_DIGITS)
      throw new StoreError('id-too-short', `image ID too short: "${prefix}"`);
    const [first, second] = this.list().filter((one) => one.startsWith(id));
    if (first === undefined) throw new StoreError('no-image', `no image IDs found for "${prefix}"`);
    if (second !== undefined) throw new StoreError('ambiguous-id', `ambiguous image ID: "${prefix}"`);
    return first;
  }

  /**
   * Writes an image's record, unless that is what is there, and notes its use. Its blobs and layers must be there. It keeps the
   * time at which it came first; one that is a stage1 stays one as long as it is made of the same. Whoever brings an image again and
   * cannot extract it leaves it extracted, if somebody else has done so.
   */
  async put(imported: ImportedImage): Promise<ImageRecord> {
    using _lock = await this.locks.exclusive(imported.id);
    const image = imported.layers.length === 0 ? this.#extracted(imported) : imported;
    const times = this.#records.put(image.id, (importTime) => formatRecord({ ...image, importTime }));
    return { ...image, ...times, isStage1: this.#marks.has(image) };
  }

  /**
   * Notes that the operator has given this image as a stage1, by this canonical reference. It has to be extracted: what will run is
   * part of the mark.
   */
  async markStage1(image: ImageRecord, reference: string): Promise<ImageRecord> {
    using _lock = await this.locks.exclusive(image.id);
    this.#marks.add(image, reference);
    return { ...image, isStage1: true };
  }

  /** Whether it is what the operator has given as a stage1 by this reference, whoever else may write to the store. */
  isStage1From(image: ImageRecord, reference: string): boolean {
    return this.#marks.references(image).includes(reference);
  }

  /** When the operator gave an image as a stage1, in milliseconds since 1970. */
  stage1Time(image: ImageRecord): number {
    return this.#marks.time(image);
  }

  #extracted(image: ImportedImage): ImportedImage {
    const known = this.#records.findReadable(image.id);
    if (known === undefined || JSON.stringify(known.contents) !== JSON.stringify(image.contents))
      return image;
    return { ...image, layers: known.layers, size: known.size };
  }

  /** Notes that an image is being used now. */
  touch(id: ImageID): void {
    this.#records.touch(id);
  }

  /** Forgets an image. What it was made of goes with the next `sweep`, unless somebody else uses it. False: there was none. */
  async remove(id: ImageID): Promise<boolean> {
    const lock = await this.locks.exclusive(id);
    const wasThere = this.#records.has(id);
    // What it was trusted with goes first: a kill in between must not leave that behind.
    this.#marks.remove(id);
    if (wasThere) this.#records.remove(id);
    this.locks.retire(id, lock);
    return wasThere;
  }

  /** Removes what no image and no pod uses. @throws StoreError bad-record, since then nobody knows what is used */
  sweep(podLayers: Usage['podLayers']): Swept {
    const records = () => this.list().flatMap((id) => this.get(id) ?? []);
    return sweep({ paths: this.#paths, locks: this.locks, blobs: this.blobs }, { records, podLayers });
  }

  /** Removes downloads that nobody has gone on with for so long, in milliseconds, and what is remembered of images that are gone. */
  sweepTraces(age: number): void {
    sweepPartials({ paths: this.#paths, locks: this.locks, blobs: this.blobs }, age);
    const isGone = (id: ImageID) => !this.#records.has(id);
    this.remotes.sweep(isGone);
    sweepTemporaries(this.#paths.image, this.locks, recordLock);
    sweepTemporaries(this.#paths.remote, this.locks, noteLock);
    // The rest is root's to know.
    if (process.geteuid?.() === 0) {
      this.sources.sweep(isGone);
      sweepTemporaries(this.#paths.source, this.locks, sourceLock);
      sweepTemporaries(this.#paths.stage1, this.locks, (id) => recordLock(`${id}.json`));
    }
    this.locks.sweep();
  }

  /** Whether an image's layers have been extracted and are all in their places. */
  isReady({ contents, layers }: ImageRecord): boolean {
    return (layers.length > 0 || contents.length === 0) && layers.every((layer) => this.hasLayer(layer));
  }

  /** @throws StoreError layer-mismatch */
  hasLayer(digest: Digest): boolean {
    return this.layerSize(digest) !== undefined;
  }

  /** Bytes of a layer's files; undefined where the layer is not in the store. @throws StoreError layer-mismatch */
  layerSize(digest: Digest): number | undefined {
    const name = layerName(digest);
    const note = readLayerNote(this.#paths.layer, name);
    if (note === undefined) return undefined;
    if (note.digest === digest) return note.size;
    const path = join(this.#paths.layer, name);
    throw new StoreError('layer-mismatch', `layer ${path} is of ${note.digest}, not of ${digest}`);
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

  draftLayer(): LayerDraft {
    return LayerDraft.make(this.#paths);
  }

  /** Keeps a finished draft, unless the same layer came from elsewhere meanwhile. @throws StoreError layer-mismatch */
  async keepLayer(draft: LayerDraft, digest: Digest, size: number): Promise<void> {
    if (!(await draft.keep(layerName(digest), { digest, size }))) this.hasLayer(digest);
  }

  /** Puts a finished draft in a layer's place. */
  async replaceLayer(draft: LayerDraft, digest: Digest, size: number): Promise<void> {
    await draft.replace(layerName(digest), { digest, size });
  }
}

/** Notes on addresses are called as what is fetched in part from the same place, whose lock their writer has. */
function noteLock(name: string): string | undefined {
  return /^[0-9a-f]{64}$/.test(name) ? `source-${name}` : undefined;
}
