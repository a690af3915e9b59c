import { createHash } from 'node:crypto';
import {
  type Digest,
  dockerConfigMediaType,
  dockerLayerMediaType,
  dockerManifestMediaType,
  isDigest,
  largestConfig,
  parseDigest,
  readImageConfig,
} from '../oci/index.ts';
import { ArchiveMembers } from './archive-members.ts';
import { compressionOf } from './decompression.ts';
import { ImageError } from './error.ts';
import { parsePath } from './extract/index.ts';
import { type LayoutFile, readText } from './layout-source.ts';
import { chooseSaved, largestSavedIndex, parseSavedImages, type SavedImage } from './saved-images.ts';
import type { OciSource, OciText, RemoteBytes } from './source.ts';
import { toByteString } from './tar/index.ts';
import { openUncompressed, type Uncompressing } from './uncompressed-file.ts';

const INDEX = 'manifest.json';
const SUFFIXES: ReadonlySet<string> = new Set(['gzip', 'zstd']);

interface FoundBlob {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly file: LayoutFile;
}

/**
 * An image in a file that `docker save`, `podman save` or skopeo has written, compressed as a whole or not. There is no manifest in
 * there: one is made, in Docker's format 2.2, of the configuration's digests for its layers, under which they are to be verified.
 * `tag` is `REPOSITORY[:TAG]`; without one there must be one image only. In `directory` there is room for an uncompressed copy.
 * @throws ImageError, TarError, OciError
 */
export async function openDockerArchive(
  path: string,
  tag: string | undefined,
  directory: string,
  options: Uncompressing = {},
): Promise<OciSource & Disposable> {
  const members = await ArchiveMembers.open(path, await openUncompressed(path, directory, options));
  try {
    const image = chooseSaved(await savedImages(members, path), tag);
    const config = await configOf(members, image, options.signal);
    return new DockerArchive(members, config, await layersOf(members, image, config.file, options.signal));
  } catch (error) {
    members[Symbol.dispose]();
    throw error;
  }
}

async function savedImages(members: ArchiveMembers, path: string): Promise<readonly SavedImage[]> {
  if (members.has(INDEX))
    return parseSavedImages(await readText(members.open(INDEX), INDEX, largestSavedIndex));
  throw new ImageError(
    'bad-layout',
    `no ${INDEX} in ${path}: nothing that Docker since 1.10 or podman has saved`,
  );
}

async function configOf(
  members: ArchiveMembers,
  { config }: SavedImage,
  signal: AbortSignal | undefined,
): Promise<FoundBlob> {
  const file = openNamed(members, config);
  return { mediaType: dockerConfigMediaType, digest: await digestOf(file, signal), file };
}

async function layersOf(
  members: ArchiveMembers,
  { layers }: SavedImage,
  config: LayoutFile,
  signal: AbortSignal | undefined,
): Promise<readonly FoundBlob[]> {
  const { diffIDs } = readImageConfig(await readText(config, 'configuration', largestConfig));
  if (layers.length !== diffIDs.length)
    throw new ImageError(
      'bad-layout',
      `${INDEX} has ${layers.length} layers, the configuration ${diffIDs.length}`,
    );
  const found: FoundBlob[] = [];
  for (const [at, diffID] of diffIDs.entries()) {
    const name = layers[at] ?? '';
    found.push(await layerOf(openNamed(members, name), { name, diffID }, signal));
  }
  return found;
}

/** A plain layer has its diff id for a digest. A compressed one has its own: its name says it, or its bytes have to. */
async function layerOf(
  file: LayoutFile,
  { name, diffID }: { readonly name: string; readonly diffID: Digest },
  signal: AbortSignal | undefined,
): Promise<FoundBlob> {
  const compression = await compressionOf(file.read(0));
  if (compression === 'plain') return { mediaType: dockerLayerMediaType, digest: diffID, file };
  const mediaType = SUFFIXES.has(compression)
    ? `${dockerLayerMediaType}.${compression}`
    : dockerLayerMediaType;
  const [, algorithm, hex] = /^blobs\/(\w+)\/(\w+)$/.exec(name) ?? [];
  const named = `${algorithm}:${hex}`;
  return { mediaType, digest: isDigest(named) ? named : await digestOf(file, signal), file };
}

/** By a name that a document of the archive gives: only a key to its files. */
function openNamed(members: ArchiveMembers, name: string): LayoutFile {
  return members.open(parsePath(toByteString(Buffer.from(name))).join('/'));
}

async function digestOf(file: LayoutFile, signal: AbortSignal | undefined): Promise<Digest> {
  const hash = createHash('sha256');
  for await (const chunk of file.read(0)) {
    signal?.throwIfAborted();
    hash.update(chunk);
  }
  return parseDigest(`sha256:${hash.digest('hex')}`);
}

class DockerArchive implements OciSource, Disposable {
  readonly #members: ArchiveMembers;
  readonly #manifest: string;
  readonly #blobs: ReadonlyMap<Digest, LayoutFile>;

  constructor(members: ArchiveMembers, config: FoundBlob, layers: readonly FoundBlob[]) {
    this.#members = members;
    this.#blobs = new Map([config, ...layers].map(({ digest, file }) => [digest, file]));
    this.#manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: dockerManifestMediaType,
      config: descriptorOf(config),
      layers: layers.map(descriptorOf),
    });
  }

  async root(): Promise<OciText> {
    const digest = parseDigest(`sha256:${createHash('sha256').update(this.#manifest).digest('hex')}`);
    return { text: this.#manifest, mediaType: dockerManifestMediaType, digest };
  }

  document({ digest }: { readonly digest: Digest }): Promise<string> {
    return Promise.reject(new ImageError('not-found', `no manifest ${digest} in an archive of Docker's`));
  }

  blob({ digest }: { readonly digest: Digest }): RemoteBytes {
    return {
      open: async (offset) => {
        const file = this.#blobs.get(digest);
        if (file === undefined) throw new ImageError('not-found', `no blob ${digest} in the archive`);
        return { bytes: file.read(offset), offset, total: file.size };
      },
    };
  }

  [Symbol.dispose](): void {
    this.#members[Symbol.dispose]();
  }
}

function descriptorOf({ mediaType, digest, file }: FoundBlob) {
  return { mediaType, size: file.size, digest };
}
