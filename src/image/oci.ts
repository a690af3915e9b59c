import { createHash } from 'node:crypto';
import {
  choosePlatform,
  type Descriptor,
  type Digest,
  deepestIndex,
  digestAlgorithm,
  digestHex,
  type ImageConfig,
  type ImageSource,
  imageIDOfConfig,
  largestConfig,
  largestManifest,
  type Manifest,
  type Platform,
  pairLayers,
  readDocument,
  readImageConfig,
  requirePlatform,
  toImageManifest,
} from '../oci/index.ts';
import type { Archive, ImageRecord, Store } from '../store/index.ts';
import { storedContent } from './blob-content.ts';
import { keepBlob } from './blob-keeping.ts';
import { isDamage } from './damage.ts';
import { type BlobDescriptor, LARGEST_ARCHIVE } from './download.ts';
import { Downloads } from './downloads.ts';
import { ImageError } from './error.ts';
import { type ArchiveContent, extractLayers } from './layers.ts';
import type { ImportOptions } from './options.ts';
import { withProgress } from './progress.ts';
import { imageSize } from './size.ts';
import type { OciSource, OciText } from './source.ts';

/** An image that was found behind a name, before any of its layers is fetched. */
export interface FoundImage {
  readonly manifest: Manifest;
  readonly manifestText: string;
  readonly manifestDigest: Digest;
  /** What the name itself led to: the manifest, or an index above it. */
  readonly rootDigest: Digest;
  readonly config: ImageConfig;
  readonly configText: string;
}

/** What the importer is told of where an image comes from. */
export type Naming = Pick<ImageSource, 'name' | 'tag' | 'originalName' | 'registry' | 'repository'>;

/**
 * Follows a source's root through its indexes to the image for a platform. Every document is checked against what led to it.
 * @throws ImageError, OciError
 */
export async function findOciImage(
  source: OciSource,
  platform: Platform,
  signal?: AbortSignal,
): Promise<FoundImage> {
  const root = await source.root(signal);
  let found: OciText = root;
  for (let depth = 0; depth < deepestIndex; depth++) {
    const document = readDocument(found.text, found.mediaType);
    if (document.kind === 'index') {
      const chosen = choosePlatform(document, platform);
      found = { ...chosen, text: await readDescribed(source, chosen, signal) };
      continue;
    }
    const configText = await readWhole(source, document.config, signal);
    const config = readImageConfig(configText);
    requirePlatform(config.platform, platform);
    const { text: manifestText, digest: manifestDigest } = found;
    return { manifest: document, manifestText, manifestDigest, rootDigest: root.digest, config, configText };
  }
  throw new ImageError('bad-layout', `more than ${deepestIndex} indexes stand between the name and an image`);
}

/** Brings a found image into the store. Every blob is checked against its descriptor, every layer against its diff id. */
export async function importOci(
  store: Store,
  source: OciSource,
  found: FoundImage,
  naming: Naming,
  options: ImportOptions,
): Promise<ImageRecord> {
  const configDigest = found.manifest.config.digest;
  const id = imageIDOfConfig(configDigest);
  const layers = pairLayers(found.manifest, found.config);
  for (const layer of layers) requireSize(layer, LARGEST_ARCHIVE);
  const contents = layers.map(({ digest, diffID }): Archive => {
    return { form: 'oci', blob: digest, diffID, whitelists: [] };
  });
  const documents = { manifest: found.manifestDigest, config: configDigest };
  // What appc has no word for is refused before all of it is fetched.
  const manifest = toImageManifest(found.config, {
    ...naming,
    configDigest,
    manifestDigest: found.manifestDigest,
  });
  for (const digest of [...contents.map(({ blob }) => blob), documents.manifest, documents.config])
    await options.pins.blob(digest, options.signal);
  const keys = await fetchLayers(store, source, contents, layers, options);
  await keepBlob(store, documents.manifest, found.manifestText, options);
  await keepBlob(store, documents.config, found.configText, options);
  return store.put({
    id,
    manifest,
    contents,
    documents,
    layers: keys,
    size: imageSize(store, contents, keys),
    source: naming.originalName,
  });
}

/** Layers are extracted while those above them are still on their way. */
async function fetchLayers(
  store: Store,
  source: OciSource,
  contents: readonly Archive[],
  descriptors: readonly BlobDescriptor[],
  options: ImportOptions,
): Promise<Digest[]> {
  const sizes = new Map(descriptors.map(({ digest, size }) => [digest, size]));
  const missing = descriptors.filter(({ digest, size }) => store.blobs.size(digest) !== size);
  const downloads = new Downloads(store, source, missing, options);
  try {
    const contentOf = ({ blob }: Archive): ArchiveContent => {
      const download = downloads.of(blob);
      if (download === undefined) return storedContent(store, { blob }, options);
      const bytes = withProgress(download.bytes(), blob, options, sizes.get(blob));
      return { bytes, complete: () => download.run() };
    };
    const keys = options.extract ? await extractLayers(store, contents, contentOf, options) : [];
    await downloads.finished();
    return keys;
  } catch (failure) {
    const error = await downloads.stop(failure);
    if (!isDamage(error) || !downloads.haveResumed) throw error;
    // Not the source's fault, perhaps: a power cut leaves files without their content. None of it is there any more.
    options.report?.({ kind: 'retry', what: 'layers', reason: error.message, milliseconds: 0 });
    return fetchLayers(store, source, contents, descriptors, options);
  }
}

async function readDescribed(
  source: OciSource,
  descriptor: Descriptor,
  signal: AbortSignal | undefined,
): Promise<string> {
  requireSize(descriptor, largestManifest);
  const text = await source.document(descriptor, signal);
  requireContent(descriptor, Buffer.from(text));
  return text;
}

/** A blob that is a document, in one piece. */
async function readWhole(
  source: OciSource,
  descriptor: Descriptor,
  signal: AbortSignal | undefined,
): Promise<string> {
  requireSize(descriptor, largestConfig);
  const opened = await source.blob(descriptor).open(0, signal);
  const chunks: Uint8Array[] = [];
  let read = 0;
  for await (const chunk of opened.bytes) {
    read += chunk.length;
    if (read > descriptor.size) break;
    chunks.push(chunk);
  }
  const content = Buffer.concat(chunks);
  requireContent(descriptor, content);
  return decode(content, descriptor);
}

/** It is kept as text: what is no text would have another digest then. */
function decode(content: Uint8Array, { digest }: Descriptor): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
  } catch (cause) {
    throw new ImageError('bad-image', `configuration ${digest} is not UTF-8`, { cause });
  }
}

function requireSize({ digest, size }: BlobDescriptor, limit: number): void {
  if (size > limit)
    throw new ImageError('too-large', `${digest} has ${size} bytes, at most ${limit} are allowed`);
}

function requireContent({ digest, size }: Descriptor, content: Uint8Array): void {
  if (content.length !== size)
    throw new ImageError('digest-mismatch', `blob ${digest} has ${content.length} bytes, not ${size}`);
  const hex = createHash(digestAlgorithm(digest)).update(content).digest('hex');
  if (hex !== digestHex(digest))
    throw new ImageError(
      'digest-mismatch',
      `blob ${digest} has the digest ${digestAlgorithm(digest)}:${hex}`,
    );
}
