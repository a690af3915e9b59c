import { openStore, type Store } from '../store/index.ts';
import type { Host } from './host.ts';
import { lookUpImageId } from './image-lookup.ts';
import { imagesOfPods, layersOfPods } from './pod-usage.ts';

export type RemovalEvent =
  | { readonly kind: 'removed'; readonly id: string }
  | { readonly kind: 'failed'; readonly image: string; readonly error: unknown };

/**
 * Removes images, each by itself, and frees what no other image and no pod uses. A pod that was made from one goes on: its layers
 * stay as long as it does.
 */
export async function removeImages(
  host: Host,
  images: readonly string[],
  report: (event: RemovalEvent) => void,
): Promise<void> {
  const store = openStore(host.dataDirectory);
  let removed = 0;
  for (const image of images) {
    try {
      const id = lookUpImageId(store, image);
      await store.remove(id);
      removed += 1;
      report({ kind: 'removed', id });
    } catch (error) {
      report({ kind: 'failed', image, error });
    }
  }
  if (removed > 0) free(host, store);
}

export interface ImageGcRequest {
  /** How long an image that nobody uses is kept, from its last use. Milliseconds. */
  readonly gracePeriod: number;
}

export type ImageGcEvent =
  | { readonly kind: 'image-removed'; readonly id: string; readonly name: string }
  /** What no image and no pod used: layers, and what they were fetched as. */
  | { readonly kind: 'layers-removed'; readonly count: number; readonly bytes: number }
  | { readonly kind: 'skipped'; readonly id: string; readonly reason: string }
  | { readonly kind: 'failed'; readonly id: string; readonly error: unknown };

/**
 * Removes what nobody uses: in rkt's order first layers, then images that were not used for the grace period and that no pod was
 * made from, with the layers that they alone had. What somebody is at is passed over.
 */
export async function collectImages(
  host: Host,
  { gracePeriod }: ImageGcRequest,
  report: (event: ImageGcEvent) => void,
): Promise<void> {
  const store = openStore(host.dataDirectory);
  const used = imagesOfPods(host);
  for (const id of store.list()) {
    try {
      const image = store.summary(id);
      if (image === undefined || image.lastUsed + gracePeriod > Date.now()) continue;
      if (used.has(id)) report({ kind: 'skipped', id, reason: 'a pod was made from it' });
      else if (await store.remove(id)) report({ kind: 'image-removed', id, name: image.name });
    } catch (error) {
      report({ kind: 'failed', id, error });
    }
  }
  const { layers, blobs, bytes } = free(host, store);
  store.sweepTraces(gracePeriod);
  if (layers + blobs > 0) report({ kind: 'layers-removed', count: layers, bytes });
}

function free(host: Host, store: Store) {
  return store.sweep(() => layersOfPods(host));
}
