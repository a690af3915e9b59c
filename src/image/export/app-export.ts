import { createWriteStream, readFileSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { formatTarEntry, tarPadding } from '../../abi/tar.ts';
import { formatImageManifest, type ImageID, type ImageManifest } from '../../appc/index.ts';
import {
  configMediaType,
  type Digest,
  layerCompression,
  type Manifest,
  manifestMediaType,
  readDocument,
  tarLayerMediaType,
  toImageConfig,
} from '../../oci/index.ts';
import { blobsOf, type ImageRecord, type Store } from '../../store/index.ts';
import type { ImportOptions } from '../options.ts';
import { makeOutputFile } from '../output.ts';
import type { Bytes } from '../stream.ts';
import type { ExportRequest } from './index.ts';
import { tagFor } from './layout-archive.ts';
import { type Blob, LayoutFiles, type PackedLayer } from './layout-files.ts';

/** A tar that is being made; `done` says whether all of it came. */
export interface TreeTar {
  readonly stream: Bytes;
  /** `redirected`: the changes mean nothing without the layers below. */
  readonly done: Promise<'complete' | 'redirected'>;
}

/** An app's files, in a pod that does not run. */
export interface AppTree {
  /** The image that the app was made from, as its pod remembers it. */
  readonly imageId: ImageID;
  readonly manifest: ImageManifest;
  /** All that the app saw; in an ACI below `rootfs`. */
  whole(purpose: 'aci' | 'oci'): Promise<TreeTar>;
  /** What differs from the image's layers, as one more; absent where the pod has a copy of them. */
  readonly changes?: () => Promise<TreeTar>;
}

/**
 * Writes what has become of an app's root to a file, as an image like the one that it was made from. @throws ImageError, OciError for
 * what OCI has no word for, and what `tree` throws
 */
export async function exportApp(
  store: Store,
  tree: AppTree,
  { path, format, overwrite }: ExportRequest,
  options: ImportOptions,
): Promise<void> {
  store.prepare();
  // What it depends on and what it shows of that is in its files by now.
  const manifest = { ...tree.manifest, dependencies: [], pathWhitelist: [] };
  await makeOutputFile(path, overwrite, (temporary) => {
    switch (format) {
      case 'aci':
        return writeAci(tree, manifest, temporary, options);
      case 'oci-archive':
        return writeLayout(store, tree, manifest, temporary, options);
      default:
        return format satisfies never;
    }
  });
}

async function writeAci(
  tree: AppTree,
  manifest: ImageManifest,
  path: string,
  { signal }: ImportOptions,
): Promise<void> {
  const { stream, done } = await tree.whole('aci');
  const text = Buffer.from(formatImageManifest(manifest));
  await pipeline(
    behindManifest(text, stream),
    createGzip(),
    createWriteStream(path),
    ...(signal === undefined ? [] : [{ signal }]),
  );
  await done;
}

async function* behindManifest(text: Buffer, tar: Bytes): AsyncGenerator<Uint8Array, void, undefined> {
  const regions = [{ offset: 0, length: text.length }];
  const owner = { mode: 0o644, uid: 0, gid: 0, mtime: { seconds: 0, nanoseconds: 0 }, xattrs: new Map() };
  yield formatTarEntry({ ...owner, path: 'manifest', kind: 'file', size: text.length, regions });
  yield text;
  yield Buffer.alloc(tarPadding(text.length));
  yield* tar;
}

async function writeLayout(
  store: Store,
  tree: AppTree,
  manifest: ImageManifest,
  path: string,
  options: ImportOptions,
): Promise<void> {
  using draft = store.draftLayer();
  const layout = new LayoutFiles(draft.rootfs);
  const image =
    (await stackedImage(store, tree, layout, options)) ?? (await flatImage(tree, manifest, layout));
  await layout.archive(path, image, tagFor({ manifest }), options.signal);
}

/** All of the app's files as one layer. */
async function flatImage(tree: AppTree, image: ImageManifest, layout: LayoutFiles): Promise<Blob> {
  const { stream, done } = await tree.whole('oci');
  const layer = await layout.pack(stream);
  await done;
  const config = layout.write(configMediaType, toImageConfig(image, [layer.diffID]));
  const manifest = { schemaVersion: 2, mediaType: manifestMediaType, config, layers: [layer.blob] };
  return layout.write(manifestMediaType, JSON.stringify(manifest));
}

/** The image's own layers with one more on top; undefined where they are not in the store any more, or were never apart. */
async function stackedImage(
  store: Store,
  tree: AppTree,
  layout: LayoutFiles,
  options: ImportOptions,
): Promise<Blob | undefined> {
  const image = await heldDocuments(store, tree.imageId, options);
  if (tree.changes === undefined || image === undefined) return undefined;
  const { stream, done } = await tree.changes();
  const layer = await layout.pack(stream);
  if ((await done) === 'redirected') return undefined;
  const below = image.manifest.layers.map(ociLayer);
  for (const { digest } of new Map(below.map((blob) => [blob.digest, blob])).values())
    if (digest !== layer.blob.digest) layout.link(digest, store.blobs.path(digest));
  const config = layout.write(configMediaType, withLayer(image.config, layer));
  const { annotations } = image.manifest;
  const extra = Object.keys(annotations).length === 0 ? {} : { annotations };
  const layers = [...below, layer.blob];
  const manifest = { schemaVersion: 2, mediaType: manifestMediaType, config, layers, ...extra };
  return layout.write(manifestMediaType, JSON.stringify(manifest));
}

interface Documents {
  readonly manifest: Manifest;
  /** The text. */
  readonly config: string;
}

/** What the store has of an image of OCI, if it has all of it; it stays until the export is done. */
async function heldDocuments(
  store: Store,
  id: ImageID,
  { pins, signal }: ImportOptions,
): Promise<Documents | undefined> {
  const image = store.get(id);
  if (image?.documents === undefined) return undefined;
  const blobs = blobsOf(image);
  for (const blob of blobs) await pins.blob(blob, signal);
  if (blobs.some((blob) => store.blobs.size(blob) === undefined)) return undefined;
  return readDocuments(store, image.documents);
}

function readDocuments(
  store: Store,
  { manifest, config }: NonNullable<ImageRecord['documents']>,
): Documents | undefined {
  const text = (digest: Digest) => readFileSync(store.blobs.path(digest), 'utf8');
  const document = readDocument(text(manifest));
  return document.kind === 'manifest' ? { manifest: document, config: text(config) } : undefined;
}

/** Docker's layers are the same tars by another name. */
function ociLayer({ mediaType, digest, size }: Manifest['layers'][number]): Blob {
  const compression = layerCompression(mediaType) ?? 'none';
  const suffix = compression === 'none' ? '' : `+${compression}`;
  return { mediaType: `${tarLayerMediaType}${suffix}`, digest, size };
}

/** A configuration with all that is said in it, also what only others understand. */
function withLayer(text: string, { diffID }: PackedLayer): string {
  const config: { rootfs: { diff_ids: readonly unknown[] }; history?: unknown } = JSON.parse(text);
  const history = Array.isArray(config.history)
    ? { history: [...config.history, { created_by: 'rkt export' }] }
    : {};
  const rootfs = { ...config.rootfs, diff_ids: [...config.rootfs.diff_ids, diffID] };
  return JSON.stringify({ ...config, rootfs, ...history });
}
