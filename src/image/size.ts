import type { Digest } from '../oci/index.ts';
import type { Archive, Store } from '../store/index.ts';

/** Bytes of an image's archives as fetched and of its files as extracted; what it shares with others counts. */
export function imageSize(store: Store, contents: readonly Archive[], layers: readonly Digest[]): number {
  const blobs = contents.map(({ blob }) => store.blobs.size(blob) ?? 0);
  return [...blobs, ...layers.map((layer) => store.layerSize(layer) ?? 0)].reduce(
    (sum, size) => sum + size,
    0,
  );
}
