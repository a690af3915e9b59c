import { ImageError, type ImageErrorCode } from '../error.ts';
import type { HttpResponse } from '../http/http.ts';
import { showUrl } from '../http/url.ts';

const CODES: Readonly<Record<number, ImageErrorCode>> = {
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not-found',
  410: 'not-found',
  429: 'rate-limited',
};
const FIRST_SERVER_ERROR = 500;

/** What an answer is that has not what was asked for, in rkt's words. */
export function badStatus({ status, url }: Pick<HttpResponse, 'status' | 'url'>): ImageError {
  const code = CODES[status] ?? (status >= FIRST_SERVER_ERROR ? 'server' : 'bad-answer');
  return new ImageError(code, `${showUrl(new URL(url))}: bad HTTP status code: ${status}`);
}
