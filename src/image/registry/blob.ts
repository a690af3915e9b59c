import type { Digest } from '../../oci/index.ts';
import { ImageError } from '../error.ts';
import type { HttpResponse } from '../http/http.ts';
import type { OpenedBytes } from '../source.ts';
import type { Bytes } from '../stream.ts';
import type { Endpoint } from './endpoint.ts';

export interface Blob {
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
}

/** One connection to a blob's bytes from an offset on, wherever the registry keeps them. @throws ImageError */
export async function openBlob(
  place: Endpoint,
  { digest, size }: Blob,
  offset: number,
  signal: AbortSignal | undefined,
): Promise<OpenedBytes> {
  // Nothing is left to be asked for, and a server would answer that the range is none (416).
  if (offset === size) return { bytes: nothing(), offset, total: size };
  const what = `blob ${digest}`;
  const headers = { 'accept-encoding': 'identity', ...(offset === 0 ? {} : { range: `bytes=${offset}-` }) };
  const response = await place.ask(`blobs/${digest}`, { headers, signal });
  if (response.status !== 200 && response.status !== 206) throw await place.refusal(response, what);
  try {
    return opened(response, what, { offset, size });
  } catch (error) {
    await response.discard();
    throw error;
  }
}

/** A server need not know ranges: then the bytes are all of them, from 0 on (RFC 9110, 14.2). */
function opened(
  response: HttpResponse,
  what: string,
  asked: { readonly offset: number; readonly size: number },
): OpenedBytes {
  const { offset, total } =
    response.status === 206 ? contentRange(response, what) : { offset: 0, total: contentLength(response) };
  if (response.status === 206 && offset !== asked.offset)
    throw new ImageError(
      'bad-answer',
      `${what} was asked for from ${asked.offset} on and comes from ${offset}`,
    );
  if (total !== undefined && total !== asked.size)
    throw new ImageError('digest-mismatch', `${what} has ${total} bytes, not ${asked.size}`);
  return { bytes: response.body, offset, total };
}

function contentRange({ headers }: HttpResponse, what: string) {
  const { 'content-range': range = '' } = headers;
  const [, first, total] = /^bytes (\d{1,15})-\d{1,15}\/(\d{1,15}|\*)$/.exec(range) ?? [];
  if (first === undefined)
    throw new ImageError('bad-answer', `${what} comes in a part that does not say which`);
  return { offset: Number(first), total: total === '*' ? undefined : Number(total) };
}

function contentLength({ headers }: HttpResponse): number | undefined {
  const { 'content-length': length = '' } = headers;
  return /^\d{1,15}$/.test(length) ? Number(length) : undefined;
}

async function* nothing(): Bytes {}
