import { createReadStream } from 'node:fs';
import { type ImageManifest, parseImageID, readImageManifest } from '../appc/index.ts';
import { type Digest, parseDigest } from '../oci/index.ts';
import { type ImageRecord, identifyFile, type Store } from '../store/index.ts';
import { ImageError } from './error.ts';
import { type LayerRules, parsePath } from './extract/index.ts';
import { unpack } from './layer.ts';
import { requireFile } from './local-file.ts';
import type { ImportOptions } from './options.ts';
import { withProgress } from './progress.ts';
import type { ImageReference } from './reference.ts';
import { type ByteString, type Entry, showBytes, type TarReader } from './tar/index.ts';

type AciReference = ImageReference & { readonly kind: 'aci-file' };

const LARGEST_MANIFEST = 32 * 1024 * 1024;
const READ_SIZE = 1024 * 1024;

/** `rootfs/...` and nothing else (appc aci.md, "Image Layout"). */
export const ACI_RULES: LayerRules = {
  locate: (path) => {
    const [top, ...rest] = parsePath(path);
    if (top !== 'rootfs') throw unrecognized(path);
    return rest;
  },
  whiteouts: false,
  repeats: 'refuse',
};

/**
 * An application container image from a local file, whatever its compression. Its id is the sha512 of the
 * uncompressed archive, known when it has been extracted: one pass. @throws ImageError, TarError, AppcError
 */
export async function importAci(
  store: Store,
  reference: AciReference,
  options: ImportOptions,
): Promise<ImageRecord> {
  requireFile(reference.path);
  const identity = identifyFile(reference.path);
  using _lock = await store.lock(`source-${identity.key}`, options.signal);
  const known = store.sources.find(identity);
  const record = known === undefined ? undefined : store.get(known);
  if (record !== undefined && store.isComplete(record)) {
    store.touch(record.id);
    return record;
  }
  const imported = await readAci(store, reference, options);
  // A file that changed while it was read is not what was imported.
  if (identifyFile(reference.path).stamp === identity.stamp) store.sources.note(identity, imported.id);
  return imported;
}

async function readAci(store: Store, reference: AciReference, options: ImportOptions): Promise<ImageRecord> {
  using draft = store.draftLayer();
  const file = createReadStream(reference.path, { highWaterMark: READ_SIZE });
  const manifest = new ManifestEntry();
  const layer = await unpack({
    stream: withProgress(file, reference, options),
    algorithm: 'sha512',
    rootfs: draft.rootfs,
    rules: ACI_RULES,
    lower: [],
    endMarker: 'required',
    signal: options.signal,
    limits: options.limits ?? {},
    intercept: (entry, reader) => manifest.take(entry, reader),
  });
  const digest = parseDigest(`sha512:${layer.digest}`);
  const accepted = accept(manifest.parse(), manifest.rootfsSeen);
  store.keepLayer(draft, digest, layer.size);
  return store.put({
    id: imageIDOf(digest),
    manifest: accepted,
    layers: [digest],
    size: layer.size,
    source: reference.text,
    importTime: Date.now(),
  });
}

/** rkt keeps the first half of the sha512. */
function imageIDOf(digest: Digest): ImageRecord['id'] {
  return parseImageID(`sha512-${digest.slice('sha512:'.length, 'sha512:'.length + 64)}`);
}

function accept(manifest: ImageManifest, rootfsSeen: boolean): ImageManifest {
  if (!rootfsSeen) throw new ImageError('bad-layout', 'no rootfs found in layout');
  if (manifest.dependencies.length > 0)
    throw new ImageError('unsupported', `image ${manifest.name} has dependencies, which are not supported`);
  if (manifest.pathWhitelist.length > 0)
    throw new ImageError('unsupported', `image ${manifest.name} has a pathWhitelist, which is not supported`);
  return manifest;
}

/** The entry beside the root file system. */
class ManifestEntry {
  #text: string | undefined;
  #rootfsSeen = false;

  get rootfsSeen(): boolean {
    return this.#rootfsSeen;
  }

  async take(entry: Entry, reader: TarReader): Promise<boolean> {
    const path = parsePath(entry.path);
    const [top] = path;
    // `tar -C DIR .` puts the top itself into the archive.
    if (top === undefined && entry.kind === 'directory') return true;
    if (top === 'rootfs') {
      this.#rootfsSeen = true;
      return false;
    }
    if (path.length !== 1 || top !== 'manifest') throw unrecognized(entry.path);
    if (entry.kind !== 'file') throw new ImageError('bad-layout', 'manifest is not a regular file');
    if (this.#text !== undefined)
      throw new ImageError('duplicate-entry', 'archive has more than one manifest');
    if (entry.size > LARGEST_MANIFEST) throw new ImageError('too-large', `manifest of ${entry.size} bytes`);
    const content = Buffer.alloc(entry.size);
    for await (const { offset, bytes } of reader.content()) content.set(bytes, offset);
    this.#text = content.toString('utf8');
    return true;
  }

  parse(): ImageManifest {
    if (this.#text === undefined) throw new ImageError('bad-layout', 'no image manifest found in layout');
    return readImageManifest(this.#text);
  }
}

function unrecognized(path: ByteString): ImageError {
  return new ImageError('bad-layout', `unrecognized file path in layout: ${showBytes(path)}`);
}
