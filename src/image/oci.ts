import { basename } from 'node:path';
import {
  blobPath,
  choosePlatform,
  type Descriptor,
  type Digest,
  deepestIndex,
  entriesTagged,
  type ImageConfig,
  imageIDOfConfig,
  largestConfig,
  largestManifest,
  layoutFile,
  layoutIndexFile,
  type Manifest,
  type Platform,
  pairLayers,
  parseIndex,
  readDocument,
  readImageConfig,
  requireLayout,
  requirePlatform,
  toImageManifest,
} from '../oci/index.ts';
import type { ImageRecord, Store } from '../store/index.ts';
import { ImageError } from './error.ts';
import { importLayers } from './oci-layers.ts';
import type { Layout, LayoutFile } from './oci-layout.ts';
import type { ImportOptions } from './options.ts';
import type { ImageReference } from './reference.ts';
import { verified } from './stream.ts';

type OciReference = ImageReference & { readonly kind: 'oci-layout' | 'oci-archive' };

interface FoundImage {
  readonly manifest: Manifest;
  readonly manifestDigest: Digest;
  readonly config: ImageConfig;
}

/** An image from an OCI image layout. Every blob is checked against its descriptor, every layer against its diff id. */
export async function importOci(
  store: Store,
  reference: OciReference,
  layout: Layout,
  platform: Platform,
  options: ImportOptions,
): Promise<ImageRecord> {
  const found = await findImage(layout, reference.tag, platform);
  const configDigest = found.manifest.config.digest;
  const id = imageIDOfConfig(configDigest);
  const known = store.get(id);
  const layers = await importLayers(store, layout, pairLayers(found.manifest, found.config), options);
  return store.put({
    id,
    manifest: toImageManifest(found.config, {
      name: imageName(reference),
      ...(reference.tag === undefined ? {} : { tag: reference.tag }),
      originalName: reference.text,
      configDigest,
      manifestDigest: found.manifestDigest,
    }),
    layers,
    size: layers.reduce((sum, layer) => sum + (store.layerSize(layer) ?? 0), 0),
    source: reference.text,
    importTime: known?.importTime ?? Date.now(),
  });
}

async function findImage(layout: Layout, tag: string | undefined, platform: Platform): Promise<FoundImage> {
  requireLayout(parseJson(layoutFile, await readWhole(layout.open(layoutFile), largestManifest, layoutFile)));
  const index = await readWhole(layout.open(layoutIndexFile), largestManifest, layoutIndexFile);
  let choices = entriesTagged(parseIndex(parseJson(layoutIndexFile, index)), tag);
  for (let depth = 0; depth < deepestIndex; depth++) {
    const chosen = choosePlatform(choices, platform);
    const document = readDocument(await readBlob(layout, chosen, largestManifest), chosen.mediaType);
    if (document.kind === 'index') {
      choices = document;
      continue;
    }
    const config = readImageConfig(await readBlob(layout, document.config, largestConfig));
    requirePlatform(config.platform, platform);
    return { manifest: document, manifestDigest: chosen.digest, config };
  }
  throw new ImageError(
    'bad-layout',
    `more than ${deepestIndex} indexes stand between the layout and an image`,
  );
}

async function readBlob(layout: Layout, descriptor: Descriptor, limit: number): Promise<string> {
  const file = layout.open(blobPath(descriptor.digest));
  return readWhole(
    { size: file.size, bytes: verified(file.bytes, descriptor).bytes },
    limit,
    descriptor.digest,
  );
}

async function readWhole(file: LayoutFile, limit: number, name: string): Promise<string> {
  if (file.size > limit)
    throw new ImageError('too-large', `${name} has ${file.size} bytes, at most ${limit} are allowed`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of file.bytes) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ImageError('bad-layout', `${name} is not JSON`, { cause });
  }
}

/** Images in a layout have tags but no name: the layout's own is what its user calls it. */
function imageName({ path }: OciReference): string {
  return basename(path).replace(/\.(tar|oci)$/, '');
}
