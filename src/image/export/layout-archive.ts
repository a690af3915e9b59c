import { createHash } from 'node:crypto';
import { createWriteStream, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { labelValue } from '../../appc/index.ts';
import {
  blobPath,
  configMediaType,
  type Digest,
  indexMediaType,
  layoutFile,
  layoutIndexFile,
  layoutVersion,
  manifestMediaType,
  parseDigest,
  readDocument,
  tagAnnotation,
  tarLayerMediaType,
  toImageConfig,
} from '../../oci/index.ts';
import { blobsOf, type ImageRecord, type Store } from '../../store/index.ts';
import { ImageError } from '../error.ts';
import { copyLayers } from '../layer-copy.ts';
import type { ImportOptions } from '../options.ts';
import { readyImage } from '../store-image.ts';
import { observed } from '../stream.ts';
import { archiveStream, archiveTo } from './tar-program.ts';

interface Blob {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

/** An image layout in a tar (image-spec 1.1, image-layout.md), its image tagged with the version, else `latest`. */
export async function writeLayoutArchive(
  store: Store,
  image: ImageRecord,
  path: string,
  options: ImportOptions,
): Promise<void> {
  using draft = store.draftLayer();
  const layout = join(draft.rootfs, 'layout');
  for (const algorithm of ['sha256', 'sha512'])
    mkdirSync(join(layout, 'blobs', algorithm), { recursive: true });
  const manifest =
    image.documents === undefined
      ? await makeImage(store, image, draft.rootfs, layout, options)
      : linkImage(store, image, image.documents.manifest, layout);
  const tag = labelValue(image.manifest.labels, 'version') ?? 'latest';
  const entry = { ...manifest, annotations: { [tagAnnotation]: tag } };
  writeJson(join(layout, layoutIndexFile), {
    schemaVersion: 2,
    mediaType: indexMediaType,
    manifests: [entry],
  });
  writeJson(join(layout, layoutFile), { imageLayoutVersion: layoutVersion });
  await archiveTo(path, layout, [layoutFile, layoutIndexFile, 'blobs'], {
    follow: true,
    signal: options.signal,
  });
}

/** An image that was fetched so: as it was. */
function linkImage(store: Store, image: ImageRecord, manifest: Digest, layout: string): Blob {
  for (const digest of new Set(blobsOf(image))) {
    if (store.blobs.size(digest) === undefined)
      throw new ImageError('not-found', `blob ${digest} is not in the store any more: fetch the image again`);
    symlinkSync(store.blobs.path(digest), join(layout, blobPath(digest)));
  }
  const text = readFileSync(store.blobs.path(manifest), 'utf8');
  readDocument(text);
  const { mediaType }: { mediaType?: unknown } = JSON.parse(text);
  return {
    mediaType: typeof mediaType === 'string' ? mediaType : manifestMediaType,
    digest: manifest,
    size: Buffer.byteLength(text),
  };
}

/** Any other: its files as one layer. */
async function makeImage(
  store: Store,
  image: ImageRecord,
  workspace: string,
  layout: string,
  options: ImportOptions,
): Promise<Blob> {
  const { layers } = await readyImage(store, image, options);
  const rootfs = join(workspace, 'rootfs');
  await copyLayers(
    layers.map((layer) => store.layerPath(layer)),
    rootfs,
  );
  const layer = await packLayer(rootfs, workspace, layout, options);
  const config = writeBlob(layout, configMediaType, toImageConfig(image.manifest, [layer.diffID]));
  const manifest = { schemaVersion: 2, mediaType: manifestMediaType, config, layers: [layer.blob] };
  return writeBlob(layout, manifestMediaType, JSON.stringify(manifest));
}

async function packLayer(
  rootfs: string,
  workspace: string,
  layout: string,
  { signal }: ImportOptions,
): Promise<{ readonly diffID: Digest; readonly blob: Blob }> {
  const file = join(workspace, 'layer');
  const [plain, packed] = [createHash('sha256'), createHash('sha256')];
  let size = 0;
  const { stream, done } = await archiveStream(rootfs, signal);
  await pipeline(
    observed(stream, (chunk) => plain.update(chunk)),
    createGzip(),
    (gzip: AsyncIterable<Uint8Array>) =>
      observed(gzip, (chunk) => {
        size += chunk.length;
        packed.update(chunk);
      }),
    createWriteStream(file),
  );
  await done;
  const digest = parseDigest(`sha256:${packed.digest('hex')}`);
  symlinkSync(file, join(layout, blobPath(digest)));
  return {
    diffID: parseDigest(`sha256:${plain.digest('hex')}`),
    blob: { mediaType: `${tarLayerMediaType}+gzip`, digest, size },
  };
}

function writeBlob(layout: string, mediaType: string, text: string): Blob {
  const digest = parseDigest(`sha256:${createHash('sha256').update(text).digest('hex')}`);
  writeFileSync(join(layout, blobPath(digest)), text);
  return { mediaType, digest, size: Buffer.byteLength(text) };
}

function writeJson(path: string, value: object): void {
  writeFileSync(path, JSON.stringify(value));
}
