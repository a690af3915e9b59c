import { basename } from 'node:path';
import { type FileIdentity, type ImageRecord, identifyFile } from '../store/index.ts';
import { importAci } from './aci.ts';
import { peekManifest } from './aci-peek.ts';
import type { FetchContext } from './context.ts';
import type { DependencyResolver } from './dependency.ts';
import { ImageError } from './error.ts';
import { layoutSource, openLayoutDirectory } from './layout-source.ts';
import { fileBytes, readSignature, requireFile } from './local-file.ts';
import { findOciImage, importOci } from './oci.ts';
import { openLayoutArchive } from './oci-archive.ts';
import type { ImportOptions } from './options.ts';
import { hostPlatform } from './platform.ts';
import type { ImageReference } from './reference.ts';
import type { OciSource } from './source.ts';
import { type Spool, spool } from './spool.ts';
import { hasBlobs, readyImage } from './store-image.ts';

type Of<K extends ImageReference['kind']> = ImageReference & { readonly kind: K };

/** An ACI from a local file: always as it is now, but read again only if it has changed since. */
export async function fetchAciFile(
  context: FetchContext,
  reference: Of<'aci-file'>,
  signature: string | undefined,
  resolve: DependencyResolver,
  options: ImportOptions,
): Promise<ImageRecord> {
  const { store } = context;
  requireFile(reference.path);
  const identity = identifyFile(reference.path);
  using _lock = await store.locks.exclusive(`file-${identity.key}`, options.signal);
  const known = knownImage(context, identity);
  if (known !== undefined) return options.extract ? readyImage(store, known, options) : known;
  using spooled = await spool(
    store,
    {
      key: `file:${reference.path}`,
      what: reference.text,
      remote: fileBytes(reference.path),
      resume: false,
    },
    options,
  );
  const isVerified = !context.insecure.has('image');
  if (isVerified) await verifyFile(context, spooled, signature ?? `${reference.path}.asc`, options);
  const image = await importAci(
    store,
    { source: reference.text, spool: spooled, check: () => undefined, resolve },
    options,
  );
  // A file that changed while it was read is not what was imported.
  if (identifyFile(reference.path).stamp === identity.stamp)
    store.sources.note(identity, { id: image.id, isVerified });
  return image;
}

function knownImage({ store, insecure }: FetchContext, identity: FileIdentity): ImageRecord | undefined {
  const note = store.sources.find(identity);
  if (note === undefined || !(note.isVerified || insecure.has('image'))) return undefined;
  const image = store.get(note.id);
  return image !== undefined && (store.isReady(image) || hasBlobs(store, image)) ? image : undefined;
}

async function verifyFile(
  { verifier }: FetchContext,
  spooled: Spool,
  signature: string,
  options: ImportOptions,
): Promise<void> {
  const bytes = await readSignature(signature);
  const { name } = await peekManifest(spooled.path, options);
  await verifier.aci({ name, path: spooled.path, signature: bytes });
}

/** An image from an OCI layout or a tar that a container engine has saved. */
export async function fetchOciFile(
  { store, insecure }: FetchContext,
  reference: Of<'oci-layout' | 'oci-archive'>,
  options: ImportOptions,
): Promise<ImageRecord> {
  if (!insecure.has('image'))
    throw new ImageError(
      'unverified',
      `${reference.kind === 'oci-layout' ? 'layouts' : 'archives'} carry no signature that could be verified (to run it all the same: --insecure-options=image)`,
    );
  using source = await openSource(reference);
  const found = await findOciImage(source.images, options.platform ?? hostPlatform(), options.signal);
  const naming = {
    name: imageName(reference.path),
    ...(reference.tag === undefined ? {} : { tag: reference.tag }),
    originalName: reference.text,
  };
  return await importOci(store, source.images, found, naming, options);
}

interface OpenSource extends Disposable {
  readonly images: OciSource;
}

async function openSource(reference: Of<'oci-layout' | 'oci-archive'>): Promise<OpenSource> {
  switch (reference.kind) {
    case 'oci-layout':
    case 'oci-archive': {
      const layout =
        reference.kind === 'oci-layout'
          ? openLayoutDirectory(reference.path)
          : await openLayoutArchive(reference.path);
      return {
        images: layoutSource(layout, reference.tag),
        [Symbol.dispose]: () => layout[Symbol.dispose](),
      };
    }
    default:
      return reference satisfies never;
  }
}

/** Images in a layout have tags but no name: the layout's own is what its user calls it. */
function imageName(path: string): string {
  return basename(path).replace(/\.(tar|oci)$/, '');
}
