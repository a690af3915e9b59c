import type { ImageID } from '../appc/index.ts';
import { blobsOf, type ImageRecord, type Store, StoreError } from '../store/index.ts';
import { storedContent } from './blob-content.ts';
import { extractLayers } from './layers.ts';
import type { ImportOptions } from './options.ts';
import { imageSize } from './size.ts';

/** An image that the store has, as whoever asked for it by `source` wants it. */
export async function useStored(
  store: Store,
  image: ImageRecord,
  source: string,
  options: ImportOptions,
): Promise<ImageRecord> {
  options.report?.({ kind: 'image-found', source, id: image.id });
  if (options.extract) return readyImage(store, image, options);
  store.touch(image.id);
  return image;
}

/**
 * An image of the store, ready to run: what has not been extracted yet, or was lost, is extracted from its blobs. It was verified,
 * or said to need no verification, when it was fetched. @throws ImageError not-found for a lost blob
 */
export async function readyImage(
  store: Store,
  record: ImageRecord,
  options: ImportOptions,
): Promise<ImageRecord> {
  await hold(record, options);
  if (store.isReady(record)) {
    store.touch(record.id);
    return record;
  }
  const layers = await extractLayers(
    store,
    record.contents,
    (archive) => storedContent(store, archive, options),
    options,
  );
  return store.put({ ...record, layers, size: imageSize(store, record.contents, layers) });
}

/** An image that the store has, if all of it is there: from now on it stays, whatever becomes of its record. */
export async function heldImage(
  store: Store,
  image: ImageRecord | undefined,
  options: ImportOptions,
): Promise<ImageRecord | undefined> {
  if (image === undefined || options.accepts?.(image) === false) return undefined;
  await hold(image, options);
  return store.isReady(image) || hasBlobs(store, image) ? image : undefined;
}

async function hold(image: ImageRecord, { pins, signal }: ImportOptions): Promise<void> {
  for (const blob of blobsOf(image)) await pins.blob(blob, signal);
  for (const layer of image.layers) await pins.layer(layer, signal);
}

function hasBlobs(store: Store, image: ImageRecord): boolean {
  return blobsOf(image).every((blob) => store.blobs.size(blob) !== undefined);
}

/** The image that somebody remembers by its id. One whose record cannot be read is brought anew as one that is gone. */
export function rememberedImage(store: Store, id: ImageID): ImageRecord | undefined {
  try {
    return store.get(id);
  } catch (error) {
    if (error instanceof StoreError && error.code === 'bad-record') return undefined;
    throw error;
  }
}

/** @throws StoreError no-image */
export function requireImage(store: Store, id: ImageID): ImageRecord {
  const record = store.get(id);
  if (record === undefined) throw new StoreError('no-image', `no image IDs found for "${id}"`);
  return record;
}
