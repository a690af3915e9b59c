import { AppcError } from '../appc/index.ts';
import { OciError } from '../oci/index.ts';
import type { ImageRecord } from '../store/index.ts';
import type { FetchContext } from './context.ts';
import { dependencyResolver } from './dependency.ts';
import { ImageError } from './error.ts';
import { fetchAciFile, fetchOciFile } from './fetch-file.ts';
import type { ImportOptions } from './options.ts';
import type { ImageReference } from './reference.ts';
import { readyImage, requireImage } from './store-image.ts';
import { TarError } from './tar/index.ts';

export interface FetchRequest {
  readonly reference: ImageReference;
  /** Path of a detached signature, instead of the one beside the image. */
  readonly signature?: string;
}

/**
 * Brings the image that a reference names into the store, unless it is there already, and returns its record. Local files are read
 * again only if they changed; layers that another image brought are not extracted again.
 * @throws ImageError, StoreError, TrustError, SystemError
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
  options.report?.({ kind: 'image-import', source: reference.text });
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
  { signature }: FetchRequest,
  options: ImportOptions,
): Promise<ImageRecord> {
  switch (reference.kind) {
    case 'aci-file':
      return fetchAciFile(context, reference, signature, resolver(context, options), options);
    case 'oci-layout':
    case 'oci-archive':
      return fetchOciFile(context, reference, options);
    case 'appc-name':
    case 'aci-url':
    case 'docker':
    case 'docker-archive':
      throw new ImageError('unsupported', `images of kind ${reference.kind} are not supported`);
    default:
      return reference satisfies never;
  }
}

function resolver({ store }: FetchContext, options: ImportOptions, above: readonly string[] = []) {
  return dependencyResolver(
    store,
    async ({ imageName }, path) => {
      throw new ImageError('unsupported', `${imageName} ${path} ${options}`);
    },
    above,
  );
}

// What is wrong inside an image is told with the image's name; what stops the import from outside (an abort, a full disk) as it is.
function named(error: unknown, text: string): unknown {
  if (error instanceof ImageError)
    return new ImageError(error.code, `image ${text}: ${error.message}`, { cause: error });
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
