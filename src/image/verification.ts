import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type Digest, digestAlgorithm, digestHex } from '../oci/index.ts';
import { isSystemError } from '../os/syscall.ts';
import { type Archive, blobsOf, type ImageRecord, layerName, type Store } from '../store/index.ts';
import { storedContent } from './blob-content.ts';
import { diskDigest } from './disk-image.ts';
import { ImageError } from './error.ts';
import { extractLayer, findLayer, type StackedLayer, unpackArchive, visibleLayers } from './layers.ts';
import type { ImportOptions } from './options.ts';
import { imageSize } from './size.ts';
import { firstDifference } from './tree-comparison.ts';

const READ_SIZE = 1024 * 1024;

/** What the pods of a host use. */
export interface PodUsage {
  /** Names of the layers that they are made of. */
  layers(): ReadonlySet<string>;
  /** Does something while no pod is being made: one that is has taken its layers already, and does not say so yet. */
  whileNoneIsMade<T>(act: () => Promise<T>): Promise<T>;
}

/** What was wrong with an image's layers and has been put right, layer by layer. */
export type Repairs = readonly string[];

/**
 * Reads all of an image again: every blob against its digest, and every extracted layer, entry by entry, against what its blob
 * says. A damaged layer is made anew, unless a pod runs on it. @throws ImageError `damaged`
 */
export async function verifyImage(
  store: Store,
  image: ImageRecord,
  pods: PodUsage,
  options: ImportOptions,
): Promise<Repairs> {
  for (const blob of new Set(blobsOf(image))) {
    await options.pins.blob(blob, options.signal);
    await verifyBlob(store, blob, options);
  }
  if (image.layers.length === 0) return [];
  const repairs: string[] = [];
  const below: StackedLayer[] = [];
  for (const archive of image.contents)
    below.push(await verifyLayer(store, archive, below, pods, repairs, options));
  const layers = visibleLayers(store, below);
  for (const layer of layers) repairs.push(...(await verifyDisks(store, layer, options)));
  await store.put({ ...image, layers, size: imageSize(store, image.contents, layers) });
  return repairs;
}

async function verifyBlob(store: Store, digest: Digest, { signal }: ImportOptions): Promise<void> {
  if (store.blobs.size(digest) === undefined) throw damaged(`blob ${digest} is missing`);
  const hash = createHash(digestAlgorithm(digest));
  for await (const chunk of createReadStream(store.blobs.path(digest), { highWaterMark: READ_SIZE })) {
    signal?.throwIfAborted();
    hash.update(chunk);
  }
  const found = hash.digest('hex');
  if (found !== digestHex(digest)) throw damaged(`blob ${digest} has the digest ${found}`);
}

/** Those that are not what was made are made anew when a machine needs them; one that runs on such a file keeps it. */
async function verifyDisks(store: Store, layer: Digest, { signal }: ImportOptions): Promise<string[]> {
  const repairs: string[] = [];
  for (const disk of store.diskImages.of(layerName(layer))) {
    const digest = await diskDigest(disk.path, signal).catch((error: unknown) => {
      if (isSystemError(error, 'ENOENT')) return 'of no file';
      throw error;
    });
    if (digest === disk.digest) continue;
    disk.remove();
    repairs.push(`disk image of layer ${layer}: it has the digest ${digest}, not ${disk.digest}`);
  }
  return repairs;
}

/** Gives what the layer is kept under. */
async function verifyLayer(
  store: Store,
  archive: Archive,
  below: readonly StackedLayer[],
  pods: PodUsage,
  repairs: string[],
  options: ImportOptions,
): Promise<StackedLayer> {
  const found = await findLayer(store, archive, below, options);
  if (found === undefined) {
    repairs.push(`layer ${archive.diffID} was missing`);
    return extractLayer(store, archive, below, (one) => storedContent(store, one, options), options);
  }
  using draft = store.draftLayer();
  const content = storedContent(store, archive, options);
  const layer = await unpackArchive(archive, below, content, draft, options);
  const difference = firstDifference(found.root(), draft.rootfs);
  if (difference === undefined) return found;
  const problem = `layer ${archive.diffID}: ${difference}`;
  await pods.whileNoneIsMade(async () => {
    if (pods.layers().has(layerName(found.key)))
      throw damaged(`${problem}; a pod is made of it: remove the pod and verify again`);
    await store.replaceLayer(draft, found.key, layer.size);
  });
  repairs.push(problem);
  return found;
}

function damaged(problem: string): ImageError {
  return new ImageError('damaged', `${problem} (image rm and fetch bring the image anew)`);
}
