import { formatImageName, imageNameOf } from '../appc/index.ts';
import { monotonic } from '../os/clock.ts';
import type { ImageRecord } from '../store/index.ts';
import type { FetchContext, PullPolicy } from './context.ts';
import { type Dependants, type DependencyResolver, dependencyResolver } from './dependency.ts';
import { ImageError } from './error.ts';
import { fetchAciFile, fetchOciFile } from './fetch-file.ts';
import { showUrl } from './http/url.ts';
import type { ImportOptions } from './options.ts';
import { canonicalReference, type ImageReference } from './reference.ts';
import { requireImage, useStored } from './store-image.ts';
import { about } from './subject.ts';

export interface FetchRequest {
  readonly reference: ImageReference;
  readonly pullPolicy: PullPolicy;
  /** Path of a detached signature, instead of the one beside the image. */
  readonly signature?: string;
}

/** What has a detached signature. For others it would be passed over, and whoever gave one would believe that it was checked. */
const SIGNED: ReadonlySet<ImageReference['kind']> = new Set(['aci-file', 'aci-url', 'appc-name']);

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
  if (request.signature !== undefined && !SIGNED.has(reference.kind))
    throw new ImageError(
      'unsupported',
      `image ${shown(reference)} is not one whose signature is a file: --signature is for ACIs`,
    );
  if (reference.kind === 'image-id') return fromStore(context, reference.id, options);
  context.store.prepare();
  const started = monotonic();
  const source = shown(reference);
  const record = await fromSource(context, reference, request, options).catch((error: unknown) => {
    throw about(subjectOf(reference), error);
  });
  const milliseconds = monotonic() - started;
  options.report?.({ kind: 'image-imported', source, id: record.id, milliseconds });
  return record;
}

/** Of a name in rkt's own words. */
function subjectOf(reference: ImageReference): string {
  const source = shown(reference);
  return reference.kind === 'appc-name'
    ? `unable to fetch image from image name ${JSON.stringify(source)}`
    : `image ${source}`;
}

async function fromSource(
  context: FetchContext,
  reference: Exclude<ImageReference, { kind: 'image-id' }>,
  request: FetchRequest,
  options: ImportOptions,
): Promise<ImageRecord> {
  const source = shown(reference);
  const { signature, pullPolicy } = request;
  const resolver = resolverFor(context, request, options);
  const common = { source, signature, pullPolicy, dependants: [], resolver };
  switch (reference.kind) {
    case 'aci-file':
      options.report?.({ kind: 'image-import', source });
      return fetchAciFile(context, { ...common, path: reference.path }, options);
    case 'oci-layout':
    case 'oci-archive':
    case 'docker-archive':
      options.report?.({ kind: 'image-import', source });
      return fetchOciFile(context, reference, options);
    // What speaks to servers is loaded when it is needed.
    case 'docker': {
      const { fetchFromRegistry } = await import('./fetch-registry.ts');
      const key = canonicalReference(reference);
      return fetchFromRegistry(context, { source, pullPolicy, key, reference: reference.reference }, options);
    }
    case 'aci-url': {
      const { fetchUrl } = await import('./fetch-url.ts');
      const { signatureUrl } = await import('./remote-aci/index.ts');
      const { url } = reference;
      const check = () => undefined;
      return fetchUrl(context, { ...common, url, signatureUrl: signatureUrl(url), check }, options);
    }
    case 'appc-name': {
      const { fetchNamed } = await import('./fetch-named.ts');
      const { name, labels } = reference;
      return fetchNamed(context, { ...common, name: { name, labels } }, options);
    }
    default:
      return reference satisfies never;
  }
}

/**
 * Dependencies come by discovery, as the image itself might have. The store's are good, and are all there is where nobody may be
 * asked.
 */
function resolverFor(
  context: FetchContext,
  { pullPolicy }: FetchRequest,
  options: ImportOptions,
): (dependants: Dependants) => DependencyResolver {
  const resolver = (dependants: Dependants): DependencyResolver => {
    const fetch: DependencyResolver = async ({ imageName, imageID, labels, size }) => {
      const { fetchNamed } = await import('./fetch-named.ts');
      const name = imageNameOf(imageName, labels);
      // One of the name that is there is not the one of this id.
      const asking = imageID === undefined ? 'new' : 'update';
      const request = {
        source: formatImageName(name),
        name,
        id: imageID,
        signature: undefined,
        pullPolicy: pullPolicy === 'never' ? 'never' : asking,
        size,
        dependants,
        resolver,
      } as const;
      return fetchNamed(context, request, options);
    };
    return dependencyResolver(context.store, fetch, options);
  };
  return resolver;
}

/** As it may stand in messages and in the store: the query of a URL may be a password. */
function shown(reference: ImageReference): string {
  return reference.kind === 'aci-url' ? showUrl(new URL(reference.url)) : reference.text;
}

// It was verified, or said to need no verification, when it was imported.
async function fromStore(
  { store }: FetchContext,
  prefix: string,
  options: ImportOptions,
): Promise<ImageRecord> {
  return useStored(store, requireImage(store, store.resolve(prefix)), prefix, options);
}
