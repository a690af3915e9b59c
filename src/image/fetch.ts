import { AppcError, type Dependency, formatImageName, imageNameOf } from '../appc/index.ts';
import { OciError } from '../oci/index.ts';
import type { ImageRecord } from '../store/index.ts';
import { TrustError } from '../trust/index.ts';
import type { FetchContext, PullPolicy } from './context.ts';
import { type DependencyResolver, dependencyResolver } from './dependency.ts';
import { ImageError } from './error.ts';
import { fetchAciFile, fetchOciFile } from './fetch-file.ts';
import type { ImportOptions } from './options.ts';
import { canonicalReference, type ImageReference } from './reference.ts';
import { readyImage, requireImage } from './store-image.ts';
import { TarError } from './tar/index.ts';

export interface FetchRequest {
  readonly reference: ImageReference;
  readonly pullPolicy: PullPolicy;
  /** Path of a detached signature, instead of the one beside the image. */
  readonly signature?: string;
}

/**
 * Brings the image that a reference names into the store, unless it is there already, and returns its record. Local files are always
 * taken as they are now, and read again only if they changed; whether a server is asked is the pull policy's to say. Layers that
 * another image brought are neither fetched nor extracted again.
 * @throws ImageError, StoreError, SystemError; TrustError when a signature does not count
 */
export async function fetchImage(
  context: FetchContext,
  request: FetchRequest,
  options: ImportOptions,
): Promise<ImageRecord> {
  const { reference } = request;
  if (reference.kind === 'image-id') return fromStore(context, reference.id, options);
  context.store.prepare();
  const started = performance.now();
  const record = await fromSource(context, reference, request, options).catch((error: unknown) => {
    throw named(error, reference.text);
  });
  const milliseconds = performance.now() - started;
  options.report?.({ kind: 'image-imported', source: reference.text, id: record.id, milliseconds });
  return record;
}

async function fromSource(
  context: FetchContext,
  reference: Exclude<ImageReference, { kind: 'image-id' }>,
  { signature, pullPolicy }: FetchRequest,
  options: ImportOptions,
): Promise<ImageRecord> {
  const source = reference.text;
  const remote = {
    source,
    key: canonicalReference(reference),
    pullPolicy,
    signature,
    resolve: resolver(context, options),
  };
  switch (reference.kind) {
    case 'aci-file':
      options.report?.({ kind: 'image-import', source });
      return fetchAciFile(context, reference, signature, remote.resolve, options);
    case 'oci-layout':
    case 'oci-archive':
    case 'docker-archive':
      options.report?.({ kind: 'image-import', source });
      return fetchOciFile(context, reference, options);
    // What speaks to servers is loaded when it is needed.
    case 'docker': {
      const { fetchFromRegistry } = await import('./fetch-registry.ts');
      return fetchFromRegistry(context, { ...remote, reference: reference.reference }, options);
    }
    case 'aci-url': {
      const { fetchUrl } = await import('./fetch-url.ts');
      const { signatureUrl } = await import('./remote-aci/index.ts');
      const { url } = reference;
      const request = { ...remote, url, signatureUrl: signatureUrl(url), check: () => undefined };
      return fetchUrl(context, request, options);
    }
    case 'appc-name': {
      const { fetchNamed } = await import('./fetch-named.ts');
      const { name, labels } = reference;
      return fetchNamed(context, { ...remote, name: { name, labels } }, options);
    }
    default:
      return reference satisfies never;
  }
}

/** Dependencies come by discovery, as the image itself might have; the store's are good. */
function resolver(
  context: FetchContext,
  options: ImportOptions,
  above: readonly string[] = [],
): DependencyResolver {
  const fetch = async ({ imageName, labels, size }: Dependency, path: readonly string[]) => {
    const { fetchNamed } = await import('./fetch-named.ts');
    const name = imageNameOf(imageName, labels);
    const request = {
      source: formatImageName(name),
      key: canonicalReference({ kind: 'appc-name', text: imageName, ...name }),
      name,
      signature: undefined,
      pullPolicy: 'new',
      size,
      resolve: resolver(context, options, path),
    } as const;
    return fetchNamed(context, request, options);
  };
  return dependencyResolver(context.store, fetch, options, above);
}

// What is wrong inside an image is told with the image's name; what stops the import from outside (an abort, a full disk) as it is.
function named(error: unknown, text: string): unknown {
  if (error instanceof ImageError)
    return new ImageError(error.code, `image ${text}: ${error.message}`, { cause: error });
  if (error instanceof TrustError)
    return new TrustError(error.code, `image ${text}: ${error.message}`, { cause: error });
  const isContent = error instanceof TarError || error instanceof OciError || error instanceof AppcError;
  return isContent ? new ImageError('bad-image', `image ${text}: ${error.message}`, { cause: error }) : error;
}

// It was verified, or said to need no verification, when it was imported.
async function fromStore(
  { store }: FetchContext,
  prefix: string,
  options: ImportOptions,
): Promise<ImageRecord> {
  const record = requireImage(store, store.resolve(prefix));
  options.report?.({ kind: 'image-found', source: prefix, id: record.id });
  return options.extract ? readyImage(store, record, options) : record;
}
