import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { labelValue } from '../../appc/index.ts';
import {
  configMediaType,
  type Digest,
  manifestMediaType,
  readDocument,
  toImageConfig,
} from '../../oci/index.ts';
import { blobsOf, type ImageRecord, type Store } from '../../store/index.ts';
import { ImageError } from '../error.ts';
import { copyLayers } from '../layer-copy.ts';
import type { ImportOptions } from '../options.ts';
import { readyImage } from '../store-image.ts';
import { type Blob, LayoutFiles } from './layout-files.ts';
import { archiveStream } from './tar-program.ts';

/** An image layout in a tar (image-spec 1.1, image-layout.md), its image tagged with the version, else `latest`. */
export async function writeLayoutArchive(
  store: Store,
  image: ImageRecord,
  path: string,
  options: ImportOptions,
): Promise<void> {
  using draft = store.draftLayer();
  const layout = new LayoutFiles(draft.rootfs);
  const manifest =
    image.documents === undefined
      ? await makeImage(store, image, draft.rootfs, layout, options)
      : linkImage(store, image, image.documents.manifest, layout);
  await layout.archive(path, manifest, tagFor(image), options.signal);
}

export function tagFor({ manifest }: Pick<ImageRecord, 'manifest'>): string {
  return labelValue(manifest.labels, 'version') ?? 'latest';
}

/** An image that was fetched so: as it was. */
function linkImage(store: Store, image: ImageRecord, manifest: Digest, layout: LayoutFiles): Blob {
  for (const digest of new Set(blobsOf(image))) {
    if (store.blobs.size(digest) === undefined)
      throw new ImageError('not-found', `blob ${digest} is not in the store any more: fetch the image again`);
    layout.link(digest, store.blobs.path(digest));
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
  layout: LayoutFiles,
  options: ImportOptions,
): Promise<Blob> {
  const { layers } = await readyImage(store, image, options);
  const rootfs = join(workspace, 'rootfs');
  await copyLayers(
    layers.map((layer) => store.layerPath(layer)),
    rootfs,
  );
  const { stream, done } = await archiveStream(rootfs, options.signal);
  const layer = await layout.pack(stream);
  await done;
  const config = layout.write(configMediaType, toImageConfig(image.manifest, [layer.diffID]));
  const manifest = { schemaVersion: 2, mediaType: manifestMediaType, config, layers: [layer.blob] };
  return layout.write(manifestMediaType, JSON.stringify(manifest));
}
