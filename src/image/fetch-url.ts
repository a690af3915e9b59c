import type { ACIdentifier, ImageID, ImageManifest } from '../appc/index.ts';
import type { ImageRecord } from '../store/index.ts';
import { importAci } from './aci.ts';
import { peekManifest } from './aci-peek.ts';
import { checkSigner, verifyAci } from './aci-verification.ts';
import type { FetchContext, PullPolicy } from './context.ts';
import { type Dependants, type DependencyResolver, joined } from './dependency.ts';
import { showUrl } from './http/url.ts';
import { readSignature } from './local-file.ts';
import type { ImportOptions } from './options.ts';
import { canonicalReference } from './reference.ts';
import { type Remembered, remembered, takesStored } from './remembered.ts';
import {
  type CacheNote,
  downloadDeferredSignature,
  downloadSignature,
  RemoteAci,
} from './remote-aci/index.ts';
import { lockSource, partialEtag, type Spool, spool } from './spool.ts';
import { useStored } from './store-image.ts';

/** An ACI behind a URL, as somebody asked for it. */
export interface UrlRequest {
  /** What messages call it. */
  readonly source: string;
  readonly url: string;
  readonly signatureUrl: string;
  /** Path of a signature, instead of the one behind `signatureUrl`. */
  readonly signature: string | undefined;
  /** The image's name, where it is known before the image is. */
  readonly signedAs?: ACIdentifier;
  readonly pullPolicy: PullPolicy;
  /** In bytes, where somebody has said so. */
  readonly size?: number | undefined;
  /** Refuses an image that is not the one that was asked for; asked again when its id is known. */
  readonly check: (manifest: ImageManifest, id?: ImageID) => void;
  /** The images that it is fetched for. */
  readonly dependants: Dependants;
  /** What brings the images that it depends on itself. */
  readonly resolver: (dependants: Dependants) => DependencyResolver;
}

/** A request, and what its address is remembered by. */
interface KeyedRequest extends UrlRequest {
  readonly key: string;
}

/** @throws ImageError, TrustError */
export async function fetchUrl(
  context: FetchContext,
  { source, ...asked }: UrlRequest,
  options: ImportOptions,
): Promise<ImageRecord> {
  const { store, network, insecure } = context;
  const key = canonicalReference({ kind: 'aci-url', text: source, url: asked.url });
  const request = { ...asked, source, key, dependants: joined(asked.dependants, { name: source, key }) };
  using _lock = await lockSource(store, { key, what: `image ${source}` }, options);
  const known = await remembered(store, key, options);
  if (takesStored(request.pullPolicy, known !== undefined, source) && known !== undefined)
    return stored(context, known, request, options);
  await using remote = new RemoteAci(network.client(), request.url, {
    credentials: network.authentication,
    expectedSize: request.size,
    partialEtag: partialEtag(store, key),
  });
  const mayKeep = known !== undefined && (known.note.isVerified || insecure.has('image'));
  if (mayKeep && (await isCurrent(remote, known, request, options)))
    return stored(context, known, request, options, remote.note);
  return await download(context, remote, request, options);
}

async function isCurrent(
  remote: RemoteAci,
  { note }: Remembered,
  { url }: UrlRequest,
  { report, signal }: ImportOptions,
): Promise<boolean> {
  const freshness = await remote.checkFresh(note, signal);
  if (freshness === 'fresh') report?.({ kind: 'image-fresh', url: showUrl(new URL(url)) });
  return freshness !== 'changed';
}

function stored(
  { store }: FetchContext,
  { image, note }: Remembered,
  { source, key, check }: KeyedRequest,
  options: ImportOptions,
  news?: CacheNote,
): Promise<ImageRecord> {
  // It may have come by its address alone, or under another name.
  check(image.manifest, image.id);
  if (news !== undefined) store.remotes.note(key, { id: note.id, isVerified: note.isVerified, ...news });
  return useStored(store, image, source, options);
}

async function download(
  context: FetchContext,
  remote: RemoteAci,
  request: KeyedRequest,
  options: ImportOptions,
): Promise<ImageRecord> {
  const { store, insecure } = context;
  const isVerified = !insecure.has('image');
  // Asked for first: without it all of the image would be fetched in vain.
  const signature = isVerified ? await earlySignature(context, request, options) : undefined;
  const { signedAs: name } = request;
  if (name !== undefined && signature !== undefined) await checkSigner(context, { name, signature }, options);
  options.report?.({ kind: 'image-fetch', url: showUrl(new URL(request.url)) });
  using spooled = await spool(
    store,
    {
      key: request.key,
      what: request.source,
      remote,
      resume: true,
      size: undefined,
      etag: () => remote.note?.etag,
    },
    options,
  );
  if (isVerified) await verify(context, spooled, request, signature, options);
  const image = await importAci(
    store,
    {
      source: request.source,
      spool: spooled,
      check: request.check,
      resolve: request.resolver(request.dependants),
    },
    options,
  );
  const { fetchedAt = Date.now(), ...note } = remote.note ?? {};
  store.remotes.note(request.key, { id: image.id, isVerified, fetchedAt, ...note });
  return image;
}

/** Undefined: it comes after the image. */
async function earlySignature(
  { network }: FetchContext,
  { signature, signatureUrl }: UrlRequest,
  { report, signal }: ImportOptions,
): Promise<Uint8Array | undefined> {
  if (signature !== undefined) return readSignature(signature);
  const answer = await downloadSignature(network.client(), signatureUrl, {
    credentials: network.authentication,
    signal,
  });
  if (answer.kind === 'signature') return answer.bytes;
  report?.({ kind: 'signature-deferred', url: showUrl(new URL(signatureUrl)) });
  return undefined;
}

async function verify(
  context: FetchContext,
  { path }: Spool,
  { signatureUrl, check }: UrlRequest,
  early: Uint8Array | undefined,
  options: ImportOptions,
): Promise<void> {
  const { network } = context;
  const signature =
    early ??
    (await downloadDeferredSignature(network.client(), signatureUrl, {
      credentials: network.authentication,
      signal: options.signal,
    }));
  const manifest = await peekManifest(path, options);
  check(manifest);
  await verifyAci(context, { name: manifest.name, path, signature }, options);
}
