import { ImageError } from '../error.ts';
import type { HttpRequest, HttpResponse } from './http.ts';
import { parseHttpUrl, showUrl } from './url.ts';

/** One request on its way; redirects turn it into the next. Names of headers are in lower case. */
export interface Hop {
  readonly method: NonNullable<HttpRequest['method']>;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

const FOLLOWED: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** 307 and 308 repeat the request; after the others what was posted has arrived (RFC 9110, 15.4). */
const REPEATED: ReadonlySet<number> = new Set([307, 308]);
const SECRET: ReadonlySet<string> = new Set(['authorization', 'cookie']);

/** Where an answer sends its request; undefined when it is no redirect. */
export function redirectOf({
  status,
  headers,
}: Pick<HttpResponse, 'status' | 'headers'>): string | undefined {
  const { location } = headers;
  return FOLLOWED.has(status) ? location : undefined;
}

/**
 * The request that a redirect makes of another. Credentials are for the origin that they were given to
 * (scheme, host and port) and stay behind when it changes; what is posted may be one. @throws ImageError bad-answer
 */
export function redirected(hop: Hop, status: number, location: string): Hop {
  const url = target(hop, location);
  const isPosted = hop.method === 'POST' && !REPEATED.has(status);
  const isOther = url.origin !== hop.url.origin;
  if (isOther && hop.body !== undefined && !isPosted)
    throw new ImageError(
      'bad-answer',
      `redirect from ${showUrl(hop.url)} to ${showUrl(url)}: what was posted is not sent to another host`,
    );
  const secret = (name: string) => isOther && SECRET.has(name);
  return {
    method: isPosted ? 'GET' : hop.method,
    url,
    headers: Object.fromEntries(Object.entries(hop.headers).filter(([name]) => !secret(name))),
    body: isPosted ? undefined : hop.body,
  };
}

function target({ url }: Hop, location: string): URL {
  try {
    return parseHttpUrl(location, url);
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new ImageError('bad-answer', `redirect from ${showUrl(url)}: ${problem}`, { cause });
  }
}
