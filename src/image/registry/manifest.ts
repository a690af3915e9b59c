import { createHash } from 'node:crypto';
import {
  type Digest,
  type DigestAlgorithm,
  digestAlgorithm,
  documentMediaTypes,
  isDigest,
  largestManifest,
  mediaKind,
  parseDigest,
} from '../../oci/index.ts';
import { ImageError } from '../error.ts';
import type { HttpResponse } from '../http/http.ts';
import { readText } from '../http/response.ts';
import type { OciText } from '../source.ts';
import type { Endpoint } from './endpoint.ts';

/** What a tag or digest stands for, without its text. */
export interface ManifestHead {
  readonly digest: Digest;
  /** Undefined where the server has not said it. */
  readonly mediaType: string | undefined;
}

const HEADERS = { accept: documentMediaTypes.join(', '), 'accept-encoding': 'identity' };
/** What servers call JSON, or anything: no statement on what the document is. */
const GENERIC: ReadonlySet<string> = new Set([
  '',
  'application/json',
  'application/octet-stream',
  'text/plain',
]);

/** The manifest or index behind a tag or digest; its digest is that of its bytes, whatever the server says. @throws ImageError */
export async function fetchManifest(
  place: Endpoint,
  reference: string,
  signal: AbortSignal | undefined,
): Promise<OciText> {
  const what = `manifest ${reference}`;
  const response = await place.ask(pathOf(reference), { headers: HEADERS, signal });
  if (response.status !== 200) throw await place.refusal(response, what);
  const mediaType = mediaTypeOf(response);
  const text = await readText(response, largestManifest, what);
  // Its digest is that of a part of its text, and would only seem to be wrong.
  if (mediaType !== undefined && mediaKind(mediaType) === 'schema1')
    throw new ImageError('unsupported', `${what} is in the format that Docker gave up in 2017 (schema 1)`);
  const asked = isDigest(reference) ? reference : undefined;
  const said = digestOf(response);
  for (const digest of [asked, said]) if (digest !== undefined) requireDigest(what, text, digest);
  return { text, mediaType, digest: asked ?? said ?? digestText(text, 'sha256') };
}

/** Undefined where the server does not say, or does not answer to such a question at all. @throws ImageError */
export async function headManifest(
  place: Endpoint,
  reference: string,
  signal: AbortSignal | undefined,
): Promise<ManifestHead | undefined> {
  const response = await place.ask(pathOf(reference), { method: 'HEAD', headers: HEADERS, signal });
  if (response.status !== 200 && response.status !== 405)
    throw await place.refusal(response, `manifest ${reference}`);
  await response.discard();
  const digest = response.status === 200 ? digestOf(response) : undefined;
  return digest && { digest, mediaType: mediaTypeOf(response) };
}

function pathOf(reference: string): string {
  return `manifests/${encodeURIComponent(reference).replace('%3A', ':')}`;
}

/** As the server calls the document, without parameters. */
function mediaTypeOf({ headers }: HttpResponse): string | undefined {
  const { 'content-type': type = '' } = headers;
  const [name = ''] = type.split(';');
  const mediaType = name.trim().toLowerCase();
  return GENERIC.has(mediaType) ? undefined : mediaType;
}

/** What is no digest here (another algorithm) says nothing that could be checked. */
function digestOf({ headers }: HttpResponse): Digest | undefined {
  const { 'docker-content-digest': said = '' } = headers;
  return isDigest(said) ? said : undefined;
}

function requireDigest(what: string, text: string, digest: Digest): void {
  const found = digestText(text, digestAlgorithm(digest));
  if (found !== digest)
    throw new ImageError('digest-mismatch', `${what} should have the digest ${digest} and has ${found}`);
}

function digestText(text: string, algorithm: DigestAlgorithm): Digest {
  return parseDigest(`${algorithm}:${createHash(algorithm).update(text, 'utf8').digest('hex')}`);
}
