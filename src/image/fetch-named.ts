import type { ImageID, ImageName } from '../appc/index.ts';
import type { ImageRecord } from '../store/index.ts';
import type { FetchContext } from './context.ts';
import { findNamed } from './dependency.ts';
import { discoverImage } from './discovery/index.ts';
import { fetchUrl, type UrlRequest } from './fetch-url.ts';
import type { ImportOptions } from './options.ts';
import { canonicalReference } from './reference.ts';
import { takesStored } from './remembered.ts';
import { checkImageId, checkImageMatches } from './requested-image.ts';
import { lockSource } from './spool.ts';
import { heldImage, useStored } from './store-image.ts';

export interface NamedRequest extends Omit<UrlRequest, 'url' | 'signatureUrl' | 'signedAs' | 'check'> {
  readonly name: ImageName;
  /** All of the image's id, where somebody has said which one it must be. */
  readonly id?: ImageID | undefined;
}

/** An image by its appc name: from the store, or from where discovery finds it. @throws ImageError, TrustError */
export async function fetchNamed(
  context: FetchContext,
  request: NamedRequest,
  options: ImportOptions,
): Promise<ImageRecord> {
  const { store, network } = context;
  const { name, source, pullPolicy } = request;
  const known = await heldImage(store, findNamed(store, name.name, name.labels), options);
  if (takesStored(pullPolicy, known !== undefined, source) && known !== undefined)
    return useStored(store, known, source, options);
  options.report?.({ kind: 'image-resolve', source });
  const [endpoint] = await discoverImage(network.client(), name, {
    insecureHttp: network.leniency.http,
    credentials: network.authentication,
    signal: options.signal,
    report: options.report,
  });
  const image = await fetchUrl(
    context,
    {
      ...request,
      url: endpoint.aci,
      signatureUrl: endpoint.signature,
      signedAs: name.name,
      // What the store has was not taken: its server is asked whether it has another by now.
      pullPolicy: 'update',
      check: (manifest, found) => {
        checkImageMatches(manifest, name.name, name.labels);
        checkImageId(found, request.id);
      },
    },
    options,
  );
  await noteName(context, name, image, options);
  return image;
}

/** Remembers what a name has led to now. */
async function noteName(
  { store, insecure }: FetchContext,
  name: ImageName,
  { id }: ImageRecord,
  options: ImportOptions,
): Promise<void> {
  const key = canonicalReference({ kind: 'appc-name', text: name.name, ...name });
  using _lock = await lockSource(store, { key, what: name.name }, options);
  store.remotes.note(key, { id, isVerified: !insecure.has('image'), fetchedAt: Date.now() });
}
