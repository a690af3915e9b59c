import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { type Digest, type DigestAlgorithm, digestAlgorithm, digestHex, parseDigest } from '../oci/index.ts';
import { openDirectory } from '../os/descriptor.ts';
import type { Archive, LayerDraft, Store } from '../store/index.ts';
import { aciUnpacking } from './aci-layer.ts';
import { ImageError } from './error.ts';
import { isOpaque, type LayerRules, parsePath } from './extract/index.ts';
import { type UnpackedLayer, type UnpackPlan, unpack } from './layer.ts';
import type { ImportOptions } from './options.ts';
import type { Bytes } from './stream.ts';

/** An archive's bytes as they come, and the moment when all of them are known to be the right ones. */
export interface ArchiveContent {
  readonly bytes: Bytes;
  complete(): Promise<void>;
}

export const OCI_RULES: LayerRules = {
  locate: parsePath,
  whiteouts: true,
  repeats: 'replace',
  lowerLinks: 'follow',
};

/** Layers of OCI have another one in practice, and may have this one. */
const ACI_ALGORITHM: DigestAlgorithm = 'sha512';

/** How the archives of a form are read. */
const UNPACKING: Readonly<
  Record<Archive['form'], (archive: Archive) => Pick<UnpackPlan, 'rules' | 'endMarker' | 'intercept'>>
> = {
  aci: aciUnpacking,
  oci: () => ({ rules: OCI_RULES, endMarker: 'optional' }),
};

/** A layer of a stack: what it is kept under, and where its root is by now. */
export interface StackedLayer {
  readonly key: Digest;
  readonly root: () => string;
}

/** One that is on its way to the disk; the next may be made on top of it meanwhile. */
interface MadeLayer extends StackedLayer {
  /** It has its name in the store. */
  readonly settled: Promise<void>;
}

/**
 * Brings an image's layers into the store, the lowest first, and returns what they are kept under there. Only those that no image
 * has brought are extracted. While one is brought to the disk, the next is extracted.
 */
export async function extractLayers(
  store: Store,
  archives: readonly Archive[],
  contentOf: (archive: Archive) => ArchiveContent,
  options: ImportOptions,
): Promise<Digest[]> {
  const stack: StackedLayer[] = [];
  const settling: Promise<void>[] = [];
  try {
    for (const archive of archives) {
      const found = await findLayer(store, archive, stack, options);
      const layer = found ?? (await makeLayer(store, archive, stack, contentOf, options));
      stack.push(layer);
      if (isMade(layer)) settling.push(layer.settled);
    }
    await Promise.all(settling);
  } finally {
    await Promise.allSettled(settling);
  }
  return visibleLayers(store, stack);
}

/**
 * Most layers are the same whatever lies below and are kept under their diff id, shared by all images. One that leaves out
 * directories of the layers below, or links to their files, is completed from them and kept for this stack alone.
 */
export async function findLayer(
  store: Store,
  archive: Archive,
  below: readonly StackedLayer[],
  { pins, signal }: ImportOptions,
): Promise<StackedLayer | undefined> {
  const shared = sharedKey(archive);
  const stacked = stackedKey(shared, below);
  const isNew = await pins.layer(stacked, signal);
  if (store.hasLayer(stacked)) return storedLayer(store, stacked);
  await pins.layer(shared, signal);
  if (!hasPlainRoot(below.at(-1)) || !store.hasLayer(shared)) return undefined;
  if (isNew) pins.releaseLayer(stacked);
  return storedLayer(store, shared);
}

function storedLayer(store: Store, key: Digest): StackedLayer {
  return { key, root: () => store.layerPath(key) };
}

/** Layers mostly leave out the root. Where it is as everywhere, that does not bind them to those below. */
function hasPlainRoot(below: StackedLayer | undefined): boolean {
  if (below === undefined) return true;
  const { mode, uid, gid } = statSync(below.root());
  return (mode & 0o7777) === 0o755 && uid === 0 && gid === 0;
}

/**
 * An archive that is cut down by whitelists is another layer than the whole one, and so is an ACI that somebody's OCI image has for
 * a layer: it must not come to be what others get who have the ACI.
 */
function sharedKey({ form, diffID, whitelists }: Archive): Digest {
  if (whitelists.length > 0) return sha256(JSON.stringify([diffID, whitelists]));
  return form === 'oci' && digestAlgorithm(diffID) === ACI_ALGORITHM ? sha256(`oci ${diffID}`) : diffID;
}

function stackedKey(key: Digest, below: readonly StackedLayer[]): Digest {
  return sha256([...below.map((layer) => layer.key), key].join(' on '));
}

function sha256(text: string): Digest {
  return parseDigest(`sha256:${createHash('sha256').update(text).digest('hex')}`);
}

/** Makes a layer that is not there, and waits until it is kept. */
export async function extractLayer(
  store: Store,
  archive: Archive,
  below: readonly StackedLayer[],
  contentOf: (archive: Archive) => ArchiveContent,
  options: ImportOptions,
): Promise<StackedLayer> {
  const made = await makeLayer(store, archive, below, contentOf, options);
  if (isMade(made)) await made.settled;
  return made;
}

function isMade(layer: StackedLayer | MadeLayer): layer is MadeLayer {
  return 'settled' in layer;
}

async function makeLayer(
  store: Store,
  archive: Archive,
  below: readonly StackedLayer[],
  contentOf: (archive: Archive) => ArchiveContent,
  options: ImportOptions,
): Promise<StackedLayer | MadeLayer> {
  const lock = await lockLayer(store, archive, options);
  const held: Disposable[] = [lock];
  const release = () => {
    for (const one of held.splice(0).reverse()) one[Symbol.dispose]();
  };
  try {
    const made = await findLayer(store, archive, below, options);
    if (made === undefined) {
      const draft = store.draftLayer();
      held.push(draft);
      const layer = await unpackArchive(archive, below, contentOf(archive), draft, options);
      return keepLayer(store, archive, below, { draft, layer, release });
    }
    release();
    return made;
  } catch (error) {
    release();
    throw error;
  }
}

/** One maker of a layer at a time: the others wait and then find it. */
export function lockLayer(store: Store, { diffID }: Archive, { signal }: ImportOptions): Promise<Disposable> {
  return store.locks.exclusive(`make-${digestHex(diffID)}`, signal);
}

/** Extracts an archive into a draft, on top of the layers below. @throws ImageError, TarError */
export async function unpackArchive(
  archive: Archive,
  below: readonly StackedLayer[],
  content: ArchiveContent,
  draft: LayerDraft,
  options: ImportOptions,
): Promise<UnpackedLayer> {
  const layer = await unpack({
    ...UNPACKING[archive.form](archive),
    stream: content.bytes,
    algorithm: digestAlgorithm(archive.diffID),
    rootfs: draft.rootfs,
    lower: below.map(({ root }) => root()).reverse(),
    signal: options.signal,
    limits: options.limits ?? {},
  });
  if (layer.digest !== digestHex(archive.diffID))
    throw new ImageError(
      'digest-mismatch',
      `layer ${archive.blob} unpacks to ${layer.digest}, not to ${archive.diffID}`,
    );
  await content.complete();
  options.report?.({ kind: 'layer-done', layer: archive.blob });
  return layer;
}

interface ExtractedLayer {
  readonly draft: LayerDraft;
  readonly layer: UnpackedLayer;
  /** To be called when the layer is kept, or will not be. */
  readonly release: () => void;
}

/** Keeps what was extracted: for all images if it is the same whatever lies below, else for this stack. */
export function keepLayer(
  store: Store,
  archive: Archive,
  below: readonly StackedLayer[],
  { draft, layer, release }: ExtractedLayer,
): MadeLayer {
  const isShared = !layer.dependsOnLower && hasPlainRoot(below.at(-1));
  const shared = sharedKey(archive);
  const key = isShared ? shared : stackedKey(shared, below);
  const kept = store.keepLayer(draft, key, layer.size);
  return {
    key,
    root: () => (store.hasLayer(key) ? store.layerPath(key) : draft.rootfs),
    settled: kept.finally(release),
  };
}

/** Overlayfs does not ask whether a layer's root is opaque: what lies below such a layer is left out here. */
export function visibleLayers(store: Store, stack: readonly StackedLayer[]): Digest[] {
  const keys = stack.map(({ key }) => key);
  const lowest = keys.findLastIndex((key) => {
    using root = openDirectory(store.layerPath(key));
    return isOpaque(root);
  });
  return keys.slice(Math.max(lowest, 0));
}
