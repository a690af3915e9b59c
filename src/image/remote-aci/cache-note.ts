import type { HttpResponse } from '../http/http.ts';

/** What a server said of how long its answer holds, for the store to keep. */
export interface CacheNote {
  /** As the server sent it, quotes included. */
  readonly etag?: string;
  /** Seconds from `fetchedAt` on. */
  readonly maxAge?: number;
  /** Milliseconds since 1970. */
  readonly fetchedAt: number;
}

// RFC 9110, 8.8.3; the length is ours.
const ETAG = /^(?:W\/)?"[\x21\x23-\x7e]{0,512}"$/;
/** What RFC 9111 (1.2.2) wants of those who count seconds; 68 years. */
const LONGEST_AGE = 2 ** 31;

/** Whether the note's answer may be used without asking. One from the future says nothing: the clock was set back. */
export function isFresh({ maxAge, fetchedAt }: CacheNote, now: number): boolean {
  const age = now - fetchedAt;
  return maxAge !== undefined && age >= 0 && age < maxAge * 1000;
}

/** `known` is the ETag of what the answer is about, where it does not say. */
export function noteOf({ headers }: Pick<HttpResponse, 'headers'>, now: number, known?: string): CacheNote {
  const etag = etagOf({ headers }) ?? known;
  const maxAge = maxAgeOf(headers);
  return {
    ...(etag === undefined ? {} : { etag }),
    ...(maxAge === undefined ? {} : { maxAge }),
    fetchedAt: now,
  };
}

/** Undefined too for what is none, which is better not sent back. */
export function etagOf({ headers }: Pick<HttpResponse, 'headers'>): string | undefined {
  const { etag } = headers;
  return etag !== undefined && ETAG.test(etag) ? etag : undefined;
}

/** Only a strong one says that two answers are the same byte for byte, so that one may go on where the other broke off. */
export function isStrong(etag: string | undefined): etag is string {
  return etag?.startsWith('"') === true;
}

/** Seconds that the answer still holds, past what a cache on the way has used up of them (RFC 9111, 4.2). */
function maxAgeOf(headers: HttpResponse['headers']): number | undefined {
  const directives = new Map((headers['cache-control'] ?? '').toLowerCase().split(',').map(parseDirective));
  if (directives.has('no-store') || directives.has('no-cache')) return undefined;
  const maxAge = seconds(directives.get('max-age'));
  const { age } = headers;
  return maxAge === undefined ? undefined : Math.max(0, maxAge - (seconds(age) ?? 0));
}

function parseDirective(text: string): [string, string] {
  const [name = '', value = ''] = text.split('=');
  return [name.trim(), value.trim().replace(/^"|"$/g, '')];
}

function seconds(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Math.min(Number(text), LONGEST_AGE) : undefined;
}
