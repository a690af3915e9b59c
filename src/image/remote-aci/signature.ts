import { type Authentication, authenticationFor } from '../authentication.ts';
import { ImageError } from '../error.ts';
import type { HttpClient } from '../http/http.ts';
import { readBytes } from '../http/response.ts';
import { badStatus } from './status.ts';

export interface SignatureOptions {
  readonly credentials?: Authentication | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** `deferred`: the server wants to be asked again when the image has been fetched. */
export type SignatureAnswer =
  | { readonly kind: 'signature'; readonly bytes: Buffer }
  | { readonly kind: 'deferred' };

const LARGEST_SIGNATURE = 64 * 1024;
const ACI = '.aci';
const OK = 200;
const ACCEPTED = 202;

/** Where the signature of an image is that was asked for by its URL: beside it, `x.aci` and `x.aci.asc`. */
export function signatureUrl(aciUrl: string): string {
  const url = new URL(aciUrl);
  const path = url.pathname;
  url.pathname = `${path.endsWith(ACI) ? path.slice(0, -ACI.length) : path}${ACI}.asc`;
  return url.href;
}

/** The detached signature behind a URL. @throws ImageError */
export async function downloadSignature(
  client: HttpClient,
  url: string,
  options: SignatureOptions = {},
): Promise<SignatureAnswer> {
  const { credentials, signal } = options;
  try {
    const response = await client.send({ url, headers: authenticationFor(url, credentials), signal });
    if (response.status === OK)
      return { kind: 'signature', bytes: await readBytes(response, LARGEST_SIGNATURE, 'the file') };
    await response.discard();
    if (response.status === ACCEPTED) return { kind: 'deferred' };
    throw badStatus(response);
  } catch (error) {
    throw failed(error);
  }
}

/** The signature that was deferred, after its image has been fetched: now it must be there. @throws ImageError */
export async function downloadDeferredSignature(
  client: HttpClient,
  url: string,
  options: SignatureOptions = {},
): Promise<Buffer> {
  const answer = await downloadSignature(client, url, options);
  if (answer.kind === 'signature') return answer.bytes;
  throw failed(new ImageError('bad-answer', 'server asked to defer the download again'));
}

function failed(error: unknown): unknown {
  if (!(error instanceof ImageError)) return error;
  return new ImageError(error.code, `error downloading the signature file: ${error.message}`, {
    cause: error,
  });
}
