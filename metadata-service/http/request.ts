/** HTTP/1.1 as it comes in (RFC 9112): what pods send, some of them with ill intent. Pure. */
import { concat } from '../../src/native/bytes.ts';
import { utf8Decode } from '../../src/native/engine.ts';
import type { Status } from './response.ts';

export interface HttpRequest {
  readonly method: string;
  /** As it was sent: percent signs and all. */
  readonly path: string;
  readonly query: string;
  /** By names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
  /** Whether the connection is to stay open for another one. */
  readonly keepAlive: boolean;
}

export interface Limits {
  /** Of the request line and the headers together. */
  readonly headBytes: number;
  readonly bodyBytes: number;
}

export type Reading =
  | { readonly kind: 'incomplete' }
  /** Whoever sends it waits for leave to send the body. */
  | { readonly kind: 'waiting' }
  | { readonly kind: 'request'; readonly request: HttpRequest }
  /** Nothing that comes after it can be understood. */
  | { readonly kind: 'refused'; readonly status: Status; readonly reason: string };

type Head = Omit<HttpRequest, 'body'> & { readonly length: number };

class Refusal extends Error {
  constructor(
    readonly status: Status,
    message: string,
  ) {
    super(message);
  }
}

/** What arrives on one connection, request by request. */
export class RequestReader {
  #bytes: Uint8Array = new Uint8Array(0);
  #head: Head | undefined;
  /** Parts of the body, and how many bytes they are. */
  #parts: Uint8Array[] = [];
  #length = 0;
  #toldToGoOn = false;

  constructor(private readonly limits: Limits) {}

  push(bytes: Uint8Array): void {
    if (this.#head === undefined) this.#bytes = concat([this.#bytes, bytes]);
    else this.#addToBody(bytes);
  }

  /** To be called again until a request is incomplete: several may have come at once. */
  next(): Reading {
    try {
      this.#head ??= this.#readHead();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { kind: 'refused', status: error.status, reason: error.message };
    }
    const head = this.#head;
    if (head === undefined) return { kind: 'incomplete' };
    if (this.#length < head.length) return this.#waitForBody(head);
    const whole = concat(this.#parts);
    const { length, ...request } = head;
    this.#begin(whole.slice(length));
    return { kind: 'request', request: { ...request, body: whole.subarray(0, length) } };
  }

  #waitForBody({ headers }: Head): Reading {
    const asks = headers.get('expect')?.toLowerCase() === '100-continue';
    if (!asks || this.#toldToGoOn || this.#length > 0) return { kind: 'incomplete' };
    this.#toldToGoOn = true;
    return { kind: 'waiting' };
  }

  #begin(bytes: Uint8Array): void {
    this.#head = undefined;
    this.#bytes = bytes;
    this.#parts = [];
    this.#length = 0;
    this.#toldToGoOn = false;
  }

  #addToBody(bytes: Uint8Array): void {
    // The caller may read into the same memory again.
    this.#parts.push(bytes.slice());
    this.#length += bytes.length;
  }

  #readHead(): Head | undefined {
    const end = endOfHead(this.#bytes);
    if (end === undefined ? this.#bytes.length > this.limits.headBytes : end > this.limits.headBytes)
      throw new Refusal(431, 'request header fields too large');
    if (end === undefined) return undefined;
    const head = parseHead(utf8Decode(this.#bytes.subarray(0, end)));
    if (head.length > this.limits.bodyBytes)
      throw new Refusal(413, `content of more than ${this.limits.bodyBytes} bytes`);
    this.#addToBody(this.#bytes.subarray(end + END_OF_HEAD.length));
    this.#bytes = new Uint8Array(0);
    return head;
  }
}

const END_OF_HEAD = [13, 10, 13, 10] as const;

function endOfHead(bytes: Uint8Array): number | undefined {
  for (let at = bytes.indexOf(13); at !== -1; at = bytes.indexOf(13, at + 1))
    if (END_OF_HEAD.every((byte, index) => bytes[at + index] === byte)) return at;
  return undefined;
}

function parseHead(text: string): Head {
  const [first = '', ...lines] = text.split('\r\n');
  const [, method = '', target = '', version = ''] = /^([A-Z]+) ([!-~]+) HTTP\/(\d\.\d)$/.exec(first) ?? [];
  if (method === '') throw new Refusal(400, 'this is no request of HTTP/1.1');
  if (version !== '1.1' && version !== '1.0') throw new Refusal(505, `HTTP/${version} is not spoken here`);
  const headers = parseFields(lines);
  if (headers.has('transfer-encoding')) throw new Refusal(501, 'transfer codings are not understood');
  const [path = '', ...query] = pathOf(target).split('?');
  return {
    method,
    path,
    query: query.join('?'),
    headers,
    keepAlive: version === '1.1' && !/(^|,)\s*close\s*(,|$)/i.test(headers.get('connection') ?? ''),
    length: lengthOf(headers),
  };
}

/** `/path`, or `http://host/path`, as to a proxy. */
function pathOf(target: string): string {
  const [, path = ''] = /^(?:http:\/\/[^/?]*)?(\/.*)$/i.exec(target) ?? [];
  if (path === '') throw new Refusal(400, 'this is no path');
  return path;
}

function parseFields(lines: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name = '', value = ''] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    if (name === '') throw new Refusal(400, 'a header field is malformed');
    const key = name.toLowerCase();
    const before = headers.get(key);
    headers.set(key, before === undefined ? value : `${before},${value}`);
  }
  return headers;
}

/** Two different lengths, or one that is no number, and nobody knows where the next request begins. */
function lengthOf(headers: ReadonlyMap<string, string>): number {
  const text = headers.get('content-length') ?? '0';
  if (!/^\d{1,10}$/.test(text)) throw new Refusal(400, 'content-length is no number');
  return Number(text);
}
