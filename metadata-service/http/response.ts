/** What the service answers. Pure. */
import { concat } from '../../src/native/bytes.ts';
import { utf8Encode } from '../../src/native/engine.ts';

export interface HttpResponse {
  readonly status: Status;
  readonly type: 'application/json' | 'text/plain; charset=us-ascii' | 'text/plain; charset=utf-8';
  readonly body: string;
  /** Of a method that is not allowed: those that are. */
  readonly allow?: readonly string[];
}

const REASONS = {
  200: 'OK',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  413: 'Content Too Large',
  431: 'Request Header Fields Too Large',
  501: 'Not Implemented',
  505: 'HTTP Version Not Supported',
} as const;

export type Status = keyof typeof REASONS;

/** Leave to send the body of a request. */
export const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

export function json(body: string): HttpResponse {
  return { status: 200, type: 'application/json', body };
}

export function text(body: string): HttpResponse {
  return { status: 200, type: 'text/plain; charset=us-ascii', body };
}

export function failure(status: Status, reason: string): HttpResponse {
  return { status, type: 'text/plain; charset=utf-8', body: `${reason}\n` };
}

export function notAllowed(allow: readonly string[]): HttpResponse {
  return { ...failure(405, `allowed: ${allow.join(', ')}`), allow };
}

/** As bytes; without the body where it was asked for by HEAD. */
export function formatResponse(
  { status, type, body, allow }: HttpResponse,
  { keepAlive, withBody }: { readonly keepAlive: boolean; readonly withBody: boolean },
): Uint8Array {
  const bytes = utf8Encode(body);
  const head = [
    `HTTP/1.1 ${status} ${REASONS[status]}`,
    `Content-Type: ${type}`,
    `Content-Length: ${bytes.length}`,
    // What is for one pod is in nobody's cache.
    'Cache-Control: no-store',
    ...(allow === undefined ? [] : [`Allow: ${allow.join(', ')}`]),
    `Connection: ${keepAlive ? 'keep-alive' : 'close'}`,
  ];
  return concat([utf8Encode(`${head.join('\r\n')}\r\n\r\n`), ...(withBody ? [bytes] : [])]);
}
