import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatImageManifest } from '../appc/index.ts';
import type { Archive, ImageRecord, Store } from '../store/index.ts';
import { aciUnpacking } from './aci-layer.ts';
import { storedContent } from './blob-content.ts';
import { unpack } from './layer.ts';
import { copyLayers } from './layer-copy.ts';
import type { ImportOptions } from './options.ts';
import { makeOutput, makeOutputDirectory } from './output.ts';
import { readyImage } from './store-image.ts';

export interface ExtractionRequest {
  readonly directory: string;
  /** The files alone, without the manifest and the directory `rootfs` beside it. */
  readonly rootfsOnly: boolean;
  readonly overwrite: boolean;
}

/** An image's own files in a directory: of an ACI its archive as it is, without what it depends on and without its whitelist. */
export function extractImage(
  store: Store,
  image: ImageRecord,
  request: ExtractionRequest,
  options: ImportOptions,
): Promise<void> {
  const own = image.contents.at(-1);
  if (own?.form !== 'aci') return renderImage(store, image, request, options);
  return write(image, request, (rootfs) => unpackAlone(store, own, rootfs, options));
}

/** An image as an app would see it: with all that it depends on, cut down to its whitelist. */
export async function renderImage(
  store: Store,
  image: ImageRecord,
  request: ExtractionRequest,
  options: ImportOptions,
): Promise<void> {
  const { layers } = await readyImage(store, image, options);
  await write(image, request, (rootfs) =>
    copyLayers(
      layers.map((layer) => store.layerPath(layer)),
      rootfs,
    ),
  );
}

function write(
  { manifest }: ImageRecord,
  { directory, rootfsOnly, overwrite }: ExtractionRequest,
  fill: (rootfs: string) => Promise<void>,
): Promise<void> {
  return makeOutput(directory, overwrite, async (temporary) => {
    makeOutputDirectory(temporary);
    if (rootfsOnly) return fill(temporary);
    writeFileSync(join(temporary, 'manifest'), formatImageManifest(manifest));
    makeOutputDirectory(join(temporary, 'rootfs'));
    await fill(join(temporary, 'rootfs'));
  });
}

async function unpackAlone(
  store: Store,
  archive: Archive,
  rootfs: string,
  options: ImportOptions,
): Promise<void> {
  await unpack({
    ...aciUnpacking({ whitelists: [] }),
    stream: storedContent(store, archive, options).bytes,
    algorithm: 'sha512',
    rootfs,
    lower: [],
    signal: options.signal,
    limits: options.limits ?? {},
  });
}
