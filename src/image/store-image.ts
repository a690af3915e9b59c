import type { ImageID } from '../appc/index.ts';
import { type ImageRecord, type Store, StoreError } from '../store/index.ts';
import { storedContent } from './blob-content.ts';
import { extractLayers } from './layers.ts';
import type { ImportOptions } from './options.ts';
import { imageSize } from './size.ts';

/**
 * An image of the store, ready to run: what has not been extracted yet, or was lost, is extracted from its blobs. It was verified,
 * or said to need no verification, when it was fetched. @throws ImageError not-found for a lost blob
 */
export async function readyImage(
  store: Store,
  record: ImageRecord,
  options: ImportOptions,
): Promise<ImageRecord> {
  const { pins, signal } = options;
  for (const layer of record.layers) await pins.layer(layer, signal);
  if (store.isReady(record)) {
    store.touch(record.id);
    return record;
  }
  for (const { blob } of record.contents) await pins.blob(blob, signal);
  const layers = await extractLayers(
    store,
    record.contents,
    (archive) => storedContent(store, archive, options),
    options,
  );
  return store.put({ ...record, layers, size: imageSize(store, record.contents, layers) });
}

/** Whether all of an image's blobs are there, so that it can be extracted, exported and verified. */
export function hasBlobs(store: Store, { contents, documents }: ImageRecord): boolean {
  const described = documents === undefined ? [] : [documents.manifest, documents.config];
  return [...contents.map(({ blob }) => blob), ...described].every(
    (blob) => store.blobs.size(blob) !== undefined,
  );
}

/** @throws StoreError no-image */
export function requireImage(store: Store, id: ImageID): ImageRecord {
  const record = store.get(id);
  if (record === undefined) throw new StoreError('no-image', `no image IDs found for "${id}"`);
  return record;
}
