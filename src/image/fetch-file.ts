import { basename } from 'node:path';
import { type FileIdentity, type ImageRecord, identifyFile, type Store } from '../store/index.ts';
import { importAci } from './aci.ts';
import { peekManifest } from './aci-peek.ts';
import { verifyAci } from './aci-verification.ts';
import type { FetchContext } from './context.ts';
import { joined } from './dependency.ts';
import { ImageError } from './error.ts';
import type { UrlRequest } from './fetch-url.ts';
import { type Layout, layoutSource, openLayoutDirectory } from './layout-source.ts';
import { fileBytes, readSignature, requireFile } from './local-file.ts';
import { findOciImage, importOci, type Naming } from './oci.ts';
import { openLayoutArchive } from './oci-archive.ts';
import type { ImportOptions } from './options.ts';
import { hostPlatform } from './platform.ts';
import type { ImageReference } from './reference.ts';
import { parseRegistryReference } from './registry/reference.ts';
import type { OciSource } from './source.ts';
import { lockSource, type Spool, spool } from './spool.ts';
import { heldImage, readyImage, rememberedImage } from './store-image.ts';

type Of<K extends ImageReference['kind']> = ImageReference & { readonly kind: K };

export interface FileRequest extends Pick<UrlRequest, 'source' | 'signature' | 'dependants' | 'resolver'> {
  /** Absolute. */
  readonly path: string;
}

/** An ACI from a local file: always as it is now, but read again only if it has changed since. */
export async function fetchAciFile(
  context: FetchContext,
  { source, path, signature, dependants, resolver }: FileRequest,
  options: ImportOptions,
): Promise<ImageRecord> {
  const { store } = context;
  requireFile(path);
  const identity = identifyFile(path);
  const key = `file:${path}`;
  const found = await knownImage(context, identity, options);
  if (found !== undefined) return found;
  using _lock = await lockSource(store, { key, what: `image ${source}` }, options);
  // By whoever had the lock.
  const known = await knownImage(context, identity, options);
  if (known !== undefined) return known;
  using spooled = await spool(
    store,
    {
      key,
      what: source,
      remote: fileBytes(path),
      resume: false,
    },
    options,
  );
  const isVerified = !context.insecure.has('image');
  if (isVerified) await verifyFile(context, spooled, signature ?? `${path}.asc`, options);
  const resolve = resolver(joined(dependants, { name: source, key }));
  const image = await importAci(store, { source, spool: spooled, check: () => undefined, resolve }, options);
  // A file that changed while it was read is not what was imported.
  if (identifyFile(path).stamp === identity.stamp)
    await store.sources.note(identity, { id: image.id, isVerified });
  return image;
}

async function knownImage(
  { store, insecure }: FetchContext,
  identity: FileIdentity,
  options: ImportOptions,
): Promise<ImageRecord | undefined> {
  const note = store.sources.find(identity);
  if (note === undefined || !(note.isVerified || insecure.has('image'))) return undefined;
  const image = await heldImage(store, rememberedImage(store, note.id), options);
  return image !== undefined && options.extract ? readyImage(store, image, options) : image;
}

async function verifyFile(
  context: FetchContext,
  spooled: Spool,
  signature: string,
  options: ImportOptions,
): Promise<void> {
  const bytes = await readSignature(signature);
  const { name } = await peekManifest(spooled.path, options);
  await verifyAci(context, { name, path: spooled.path, signature: bytes }, options);
}

/** An image from an OCI layout, or from a file that a container engine has saved. */
export async function fetchOciFile(
  { store, insecure }: FetchContext,
  reference: Of<'oci-layout' | 'oci-archive' | 'docker-archive'>,
  options: ImportOptions,
): Promise<ImageRecord> {
  if (!insecure.has('image'))
    throw new ImageError(
      'unverified',
      `${reference.kind === 'oci-layout' ? 'layouts' : 'archives'} carry no signature that could be verified (to take it all the same: --insecure-options=image)`,
    );
  store.prepare();
  using source = await openSource(store, reference);
  const found = await findOciImage(source.images, options.platform ?? hostPlatform(), options.signal);
  return await importOci(store, source.images, found, namingOf(reference), options);
}

interface OpenSource extends Disposable {
  readonly images: OciSource;
}

async function openSource(
  store: Store,
  reference: Of<'oci-layout' | 'oci-archive' | 'docker-archive'>,
): Promise<OpenSource> {
  const { path, tag } = reference;
  switch (reference.kind) {
    case 'oci-layout':
      return layoutOf(openLayoutDirectory(path), tag);
    case 'oci-archive':
      return layoutOf(await openLayoutArchive(path), tag);
    case 'docker-archive': {
      const { openDockerArchive } = await import('./docker-archive.ts');
      const archive = await openDockerArchive(path, tag, store.blobs.partialDirectory);
      return { images: archive, [Symbol.dispose]: () => archive[Symbol.dispose]() };
    }
    default:
      return reference satisfies never;
  }
}

function layoutOf(layout: Layout, tag: string | undefined): OpenSource {
  return { images: layoutSource(layout, tag), [Symbol.dispose]: () => layout[Symbol.dispose]() };
}

/**
 * Images in a layout have tags but no name: the layout's own is what its user calls it. In a Docker archive a tag is a whole
 * name.
 */
function namingOf({ kind, path, tag, text }: Of<'oci-layout' | 'oci-archive' | 'docker-archive'>): Naming {
  if (kind === 'docker-archive' && tag !== undefined) {
    const { registry, repository, tag: version } = parseRegistryReference(tag);
    const name = `${registry}/${repository}`;
    return { name, originalName: text, ...(version === undefined ? {} : { tag: version }) };
  }
  const name = basename(path).replace(/\.(tar|oci)$/, '');
  return { name, originalName: text, ...(tag === undefined ? {} : { tag }) };
}
