import { ImageError, type ImageErrorCode } from '../error.ts';
import type { HttpResponse } from '../http/http.ts';
import { readText } from '../http/response.ts';
import { errorDetail } from './error-detail.ts';

/** An answer of a registry that is not what was asked for. */
export class Refusal extends ImageError {
  /** In milliseconds, if the server has said when to come again. */
  readonly retryAfter: number | undefined;

  constructor(code: ImageErrorCode, message: string, retryAfter?: number) {
    super(code, message);
    this.retryAfter = retryAfter;
  }
}

interface Meaning {
  readonly code: ImageErrorCode;
  readonly words: string;
}

const MEANINGS: Readonly<Record<number, Meaning>> = {
  401: { code: 'unauthorized', words: 'authentication required' },
  403: { code: 'forbidden', words: 'access denied' },
  404: { code: 'not-found', words: 'not found' },
  429: { code: 'rate-limited', words: 'too many requests' },
};
const SERVER_FAILED: Meaning = { code: 'server', words: 'the server failed' };
const UNEXPECTED: Meaning = { code: 'bad-answer', words: 'unexpected answer' };

const LARGEST_BODY = 64 * 1024;

/** Reads what a server says about its refusal. `what` is what was asked for, `words` what a 401 means there. */
export async function refusalOf(
  response: HttpResponse,
  what: string,
  { now, words: login }: { readonly now: number; readonly words?: string },
): Promise<Refusal> {
  const { status, headers } = response;
  const meaning = MEANINGS[status] ?? (status >= 500 ? SERVER_FAILED : UNEXPECTED);
  const words = status === 401 && login !== undefined ? login : meaning.words;
  const { 'retry-after': after } = headers;
  const retryAfter = after === undefined ? undefined : parseRetryAfter(after, now);
  const again = retryAfter === undefined ? '' : `, to be asked again in ${Math.ceil(retryAfter / 1000)} s`;
  const detail = errorDetail(await textOf(response));
  return new Refusal(
    meaning.code,
    `${what}: ${words}: bad HTTP status code: ${status}${detail === '' ? '' : ` (${detail})`}${again}`,
    retryAfter,
  );
}

// It only explains: where it cannot be read the status alone has to do.
async function textOf(response: HttpResponse): Promise<string> {
  try {
    return await readText(response, LARGEST_BODY, 'explanation');
  } catch {
    return '';
  }
}

/** Seconds or a date (RFC 9110, 10.2.3), as milliseconds from now. */
export function parseRetryAfter(text: string, now: number): number | undefined {
  if (/^\d{1,9}$/.test(text.trim())) return Number(text) * 1000;
  // JavaScript takes nearly everything for a date.
  const date = text.endsWith(' GMT') ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
