import type { ImageManifest } from '../appc/index.ts';
import { parseImageID } from '../appc/index.ts';
import { type Digest, mostLayers, parseDigest } from '../oci/index.ts';
import type { Archive, ImageRecord, LayerDraft, Store, Whitelist } from '../store/index.ts';
import { AciLayout } from './aci-layer.ts';
import { fileContent, storedContent } from './blob-content.ts';
import type { DependencyResolver } from './dependency.ts';
import { ImageError } from './error.ts';
import { survey, type UnpackedLayer, unpack } from './layer.ts';
import { extractLayers, findLayer, keepLayer, lockLayer } from './layers.ts';
import type { ImportOptions } from './options.ts';
import { imageSize } from './size.ts';
import type { Spool } from './spool.ts';

export interface AciRequest {
  /** What the user wrote. */
  readonly source: string;
  readonly spool: Spool;
  /** Refuses an image that is not the one that was asked for. */
  readonly check: (manifest: ImageManifest, id: ImageRecord['id']) => void;
  readonly resolve: DependencyResolver;
}

/**
 * An application container image, whatever its compression, that has been fetched and whose signature, if asked for, was verified.
 * Its id is the sha512 of the uncompressed archive, known when it has been read. Most images depend on none: they are extracted
 * in that same pass. @throws ImageError, TarError, AppcError
 */
export async function importAci(
  store: Store,
  request: AciRequest,
  options: ImportOptions,
): Promise<ImageRecord> {
  const { spool } = request;
  await options.pins.blob(spool.digest, options.signal);
  using draft = options.extract ? store.draftLayer() : undefined;
  const { manifest, diffID, layer } = await readAci(spool, draft, options);
  const id = imageIDOf(diffID);
  request.check(manifest, id);
  const contents = await contentsOf(manifest, diffID, request);
  const own = contents.at(-1);
  let layers: Digest[] = [];
  if (draft !== undefined && layer !== undefined && own !== undefined)
    layers = [await keepOwn(store, own, draft, layer, options)];
  else if (options.extract)
    layers = await extractLayers(
      store,
      contents,
      (archive) => (archive === own ? contentOf(spool, options) : storedContent(store, archive, options)),
      options,
    );
  spool.keep();
  return store.put({
    id,
    manifest,
    contents,
    layers,
    size: imageSize(store, contents, layers),
    source: request.source,
  });
}

interface ReadAci {
  readonly manifest: ImageManifest;
  readonly diffID: Digest;
  /** What was extracted; undefined where that has to wait for the image's dependencies, or is not for us to do. */
  readonly layer: UnpackedLayer | undefined;
}

async function readAci(
  spool: Spool,
  draft: LayerDraft | undefined,
  options: ImportOptions,
): Promise<ReadAci> {
  const layout = new AciLayout();
  const { rules, endMarker, intercept } = layout.unpacking([]);
  const plan = {
    stream: contentOf(spool, options).bytes,
    algorithm: 'sha512',
    endMarker,
    signal: options.signal,
    limits: options.limits ?? {},
  } as const;
  const diffIDOf = (hex: string) => parseDigest(`sha512:${hex}`);
  if (draft === undefined) {
    const digest = await survey({ ...plan, ...(intercept === undefined ? {} : { intercept }) });
    return { manifest: layout.requireManifest(), diffID: diffIDOf(digest), layer: undefined };
  }
  let standsAlone = true;
  const layer = await unpack({
    ...plan,
    rules,
    rootfs: draft.rootfs,
    lower: [],
    intercept: async (entry, reader) => {
      if ((await intercept?.(entry, reader)) === true) {
        standsAlone &&= layout.manifest === undefined || isAlone(layout.manifest);
        return true;
      }
      return !standsAlone;
    },
  });
  const manifest = layout.requireManifest();
  return { manifest, diffID: diffIDOf(layer.digest), layer: isAlone(manifest) ? layer : undefined };
}

function isAlone({ dependencies, pathWhitelist }: ImageManifest): boolean {
  return dependencies.length === 0 && pathWhitelist.length === 0;
}

/** As `extractLayers` would, with what is there already. */
async function keepOwn(
  store: Store,
  own: Archive,
  draft: LayerDraft,
  layer: UnpackedLayer,
  options: ImportOptions,
): Promise<Digest> {
  using _lock = await lockLayer(store, own, options);
  const found = await findLayer(store, own, [], options);
  if (found !== undefined) return found.key;
  const made = keepLayer(store, own, [], { draft, layer, release: () => undefined });
  await made.settled;
  return made.key;
}

/** Dependencies depth-first in the order of the list, then the image itself (appc ace.md, "Dependency Rendering"). */
async function contentsOf(
  manifest: ImageManifest,
  diffID: Digest,
  { spool, resolve }: AciRequest,
): Promise<Archive[]> {
  const { dependencies, pathWhitelist: paths } = manifest;
  const contents: Archive[] = [];
  for (const dependency of dependencies) {
    const image = await resolve(dependency);
    for (const archive of image.contents)
      contents.push({ ...archive, whitelists: [...archive.whitelists, ...whitelist(paths, false)] });
  }
  contents.push({ form: 'aci', blob: spool.digest, diffID, whitelists: whitelist(paths, true) });
  if (contents.length > mostLayers)
    throw new ImageError(
      'too-large',
      `image ${manifest.name} is made of ${contents.length} archives, at most ${mostLayers} can be stacked`,
    );
  return contents;
}

function whitelist(paths: readonly string[], isOwn: boolean): Whitelist[] {
  return paths.length === 0 ? [] : [{ isOwn, paths }];
}

function contentOf(spool: Spool, options: ImportOptions) {
  return fileContent(spool.path, spool.what, options);
}

/** rkt keeps the first half of the sha512. */
function imageIDOf(diffID: Digest): ImageRecord['id'] {
  return parseImageID(`sha512-${diffID.slice('sha512:'.length, 'sha512:'.length + 64)}`);
}
