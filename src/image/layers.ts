import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import {
  blobPath,
  type Digest,
  digestAlgorithm,
  digestHex,
  parseDigest,
  type UnpackedLayer,
} from '../oci/index.ts';
import { openDirectory } from '../os/descriptor.ts';
import type { Store } from '../store/index.ts';
import { ImageError } from './error.ts';
import { isOpaque, type LayerRules, parsePath } from './extract/index.ts';
import { unpack } from './layer.ts';
import type { Layout } from './oci-layout.ts';
import type { ImportOptions } from './options.ts';
import { withProgress } from './progress.ts';
import { verified } from './stream.ts';

export const OCI_RULES: LayerRules = { locate: parsePath, whiteouts: true, repeats: 'replace' };

/** Brings an image's layers into the store, the lowest first, and returns what they are kept under there. */
export async function importLayers(
  store: Store,
  layout: Layout,
  layers: readonly UnpackedLayer[],
  options: ImportOptions,
): Promise<Digest[]> {
  const keys: Digest[] = [];
  for (const layer of layers) {
    keys.push(
      findLayer(store, layer.diffID, keys) ?? (await importLayer(store, layout, layer, keys, options)),
    );
  }
  return visible(store, keys);
}

/**
 * Most layers are the same whatever lies below and are kept under their diff id, shared by all images. One that leaves out
 * directories of the layers below, or links to their files, is completed from them and kept for this stack alone.
 */
function findLayer(store: Store, diffID: Digest, below: readonly Digest[]): Digest | undefined {
  const stacked = stackedKey(diffID, below);
  if (store.hasLayer(stacked)) return stacked;
  return hasPlainRoot(store, below.at(-1)) && store.hasLayer(diffID) ? diffID : undefined;
}

/** Layers mostly leave out the root. Where it is as everywhere, that does not bind them to those below. */
function hasPlainRoot(store: Store, below: Digest | undefined): boolean {
  if (below === undefined) return true;
  const { mode, uid, gid } = statSync(store.layerPath(below));
  return (mode & 0o7777) === 0o755 && uid === 0 && gid === 0;
}

function stackedKey(diffID: Digest, below: readonly Digest[]): Digest {
  return parseDigest(
    `sha256:${createHash('sha256')
      .update([...below, diffID].join(' on '))
      .digest('hex')}`,
  );
}

async function importLayer(
  store: Store,
  layout: Layout,
  layer: UnpackedLayer,
  below: readonly Digest[],
  options: ImportOptions,
): Promise<Digest> {
  using _lock = await store.lock(`layer-${digestHex(layer.diffID)}`, options.signal);
  const made = findLayer(store, layer.diffID, below);
  if (made !== undefined) return made;
  using draft = store.draftLayer();
  const blob = verified(layout.open(blobPath(layer.digest)).bytes, layer);
  const unpacked = await unpack({
    stream: withProgress(blob.bytes, { text: layer.digest }, options, layer.size),
    algorithm: digestAlgorithm(layer.diffID),
    rootfs: draft.rootfs,
    rules: OCI_RULES,
    lower: below.map((key) => store.layerPath(key)).reverse(),
    endMarker: 'optional',
    signal: options.signal,
    limits: options.limits ?? {},
  });
  blob.requireComplete();
  if (unpacked.digest !== digestHex(layer.diffID)) {
    throw new ImageError(
      'digest-mismatch',
      `layer ${layer.digest} unpacks to ${unpacked.digest}, not to ${layer.diffID}`,
    );
  }
  const isShared = !unpacked.dependsOnLower && hasPlainRoot(store, below.at(-1));
  const key = isShared ? layer.diffID : stackedKey(layer.diffID, below);
  store.keepLayer(draft, key, unpacked.size);
  return key;
}

/** Overlayfs does not ask whether a layer's root is opaque: what lies below such a layer is left out here. */
function visible(store: Store, keys: readonly Digest[]): Digest[] {
  const lowest = keys.findLastIndex((key) => {
    using root = openDirectory(store.layerPath(key));
    return isOpaque(root);
  });
  return keys.slice(Math.max(lowest, 0));
}
