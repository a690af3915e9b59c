import { type Authentication, authenticationFor } from '../authentication.ts';
import { ImageError } from '../error.ts';
import type { HttpClient, HttpResponse } from '../http/http.ts';
import { showUrl } from '../http/url.ts';
import type { OpenedBytes, RemoteBytes } from '../source.ts';
import type { Bytes } from '../stream.ts';
import { type CacheNote, etagOf, isFresh, isStrong, noteOf } from './cache-note.ts';
import { badStatus } from './status.ts';

export interface RemoteAciOptions {
  readonly credentials?: Authentication | undefined;
  /** Bytes of the image, as a dependency on it states them: how many may come. */
  readonly expectedSize?: number | undefined;
  /** The ETag that came with the bytes that the caller has of an earlier attempt, if it has any. */
  readonly partialEtag?: string | undefined;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** `fresh`: nothing was asked; `unchanged`: the server says so; `changed`: it has another image, or nothing is known of what it had. */
export type Freshness = 'fresh' | 'unchanged' | 'changed';

const OK = 200;
const PARTIAL = 206;
const NOT_MODIFIED = 304;
const RANGE_NOT_SATISFIABLE = 416;
/** What compressing adds to what cannot be compressed: at most a fraction, and a header. appc does not say which size it means. */
const ADDED = { fraction: 1 / 64, bytes: 64 * 1024 };

/**
 * An image archive behind a URL. Whether it changed and its content are one request: the answer that says `changed` is kept for `open`,
 * or given up at the end of this object's life.
 */
export class RemoteAci implements RemoteBytes, AsyncDisposable {
  readonly #client: HttpClient;
  readonly #url: string;
  readonly #options: RemoteAciOptions;
  readonly #largest: number;
  #etag: string | undefined;
  #note: CacheNote | undefined;
  #kept: HttpResponse | undefined;

  constructor(client: HttpClient, url: string, options: RemoteAciOptions = {}) {
    this.#client = client;
    this.#url = url;
    this.#options = options;
    this.#largest = largestFile(options.expectedSize);
    this.#etag = options.partialEtag;
  }

  /** What the server said last, once it has said something: to be kept with the image. */
  get note(): CacheNote | undefined {
    return this.#note;
  }

  /** Whether the image that the note came with is still the one behind the URL. @throws ImageError */
  async checkFresh(known: CacheNote, signal?: AbortSignal): Promise<Freshness> {
    if (isFresh(known, this.#now())) return 'fresh';
    await this[Symbol.asyncDispose]();
    const condition = known.etag === undefined ? {} : { 'if-none-match': known.etag };
    const response = await this.#get(condition, signal);
    // Some servers do not read the condition, and send what is there already.
    const isSame = response.status === OK && known.etag !== undefined && etagOf(response) === known.etag;
    if (response.status === OK && !isSame) {
      this.#kept = response;
      return 'changed';
    }
    await response.discard();
    if (!isSame && (response.status !== NOT_MODIFIED || known.etag === undefined)) throw badStatus(response);
    this.#note = noteOf(response, this.#now(), known.etag);
    return 'unchanged';
  }

  /** @throws ImageError */
  async open(offset: number, signal?: AbortSignal): Promise<OpenedBytes> {
    const response = await this.#answer(offset, signal);
    try {
      const opened = this.#read(response, offset);
      // A part, or that there is no more of it, is of what was asked for, whether or not it says so again.
      const known = response.status === OK ? undefined : this.#etag;
      this.#etag = etagOf(response) ?? known;
      this.#note = noteOf(response, this.#now(), this.#etag);
      return opened;
    } catch (error) {
      await response.discard();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#takeKept()?.discard();
  }

  #takeKept(): HttpResponse | undefined {
    const kept = this.#kept;
    this.#kept = undefined;
    return kept;
  }

  async #answer(offset: number, signal: AbortSignal | undefined): Promise<HttpResponse> {
    const etag = this.#etag;
    const kept = this.#takeKept();
    // Without a strong ETag nothing says that the rest is of the same image: it is fetched from the beginning.
    const canResume = offset > 0 && isStrong(etag);
    if (kept !== undefined && !(canResume && etagOf(kept) === etag)) return kept;
    await kept?.discard();
    if (!canResume) return this.#get({}, signal);
    const response = await this.#get({ range: `bytes=${offset}-`, 'if-range': etag }, signal);
    if (response.status !== RANGE_NOT_SATISFIABLE || this.#isAll(response, offset)) return response;
    // It has become shorter than what was fetched of it.
    await response.discard();
    return this.#get({}, signal);
  }

  #read(response: HttpResponse, offset: number): OpenedBytes {
    const { begin, total } = this.#extent(response, offset);
    if (total !== undefined) this.#requireSize(total);
    const isAll = response.status === RANGE_NOT_SATISFIABLE;
    return { bytes: isAll ? nothing(response) : this.#limited(response.body, begin), offset: begin, total };
  }

  /** Whether there is nothing behind the offset: whoever fetched so much was ended before making something of it. */
  #isAll(response: HttpResponse, offset: number): boolean {
    const found = etagOf(response) ?? this.#etag;
    return response.headers['content-range'] === `bytes */${offset}` && found === this.#etag;
  }

  /** Where the answer begins, and the size of the whole. */
  #extent(
    response: HttpResponse,
    offset: number,
  ): { readonly begin: number; readonly total: number | undefined } {
    const { status, headers } = response;
    if (status === OK) return { begin: 0, total: integer(headers['content-length']) };
    if (status === RANGE_NOT_SATISFIABLE) return { begin: offset, total: offset };
    if (status !== PARTIAL) throw badStatus(response);
    const range = headers['content-range'] ?? '';
    const [, begin, total] = /^bytes (\d{1,16})-\d{1,16}\/(\d{1,16}|\*)$/.exec(range) ?? [];
    const found = etagOf(response);
    const isOther = found !== undefined && found !== this.#etag;
    if (integer(begin) === offset && !isOther) return { begin: offset, total: integer(total) };
    const problem = isOther ? `of ETag ${found}, not ${this.#etag}` : `${JSON.stringify(range)}`;
    const asked = `bytes from ${offset} on were asked for, but what came is ${problem}`;
    throw new ImageError('bad-answer', `${showUrl(new URL(response.url))}: ${asked}`);
  }

  async *#limited(bytes: Bytes, begin: number): Bytes {
    let size = begin;
    for await (const chunk of bytes) {
      size += chunk.length;
      this.#requireSize(size);
      yield chunk;
    }
  }

  #requireSize(size: number): void {
    if (size <= this.#largest) return;
    const problem = `${size} bytes or more, at most ${this.#largest} are expected`;
    throw new ImageError('too-large', `${showUrl(new URL(this.#url))}: ${problem}`);
  }

  // Bytes as they lie on the server: what a length, a range and a signature are about.
  #get(headers: Readonly<Record<string, string>>, signal: AbortSignal | undefined): Promise<HttpResponse> {
    const authentication = authenticationFor(this.#url, this.#options.credentials);
    const all = { 'accept-encoding': 'identity', ...authentication, ...headers };
    return this.#client.send({ url: this.#url, headers: all, signal });
  }

  #now(): number {
    return (this.#options.now ?? Date.now)();
  }
}

/** What comes with the answer is about the answer. */
async function* nothing(response: HttpResponse): Bytes {
  await response.discard();
  yield* [];
}

function integer(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function largestFile(expectedSize: number | undefined): number {
  if (expectedSize === undefined) return Number.POSITIVE_INFINITY;
  return Math.ceil(expectedSize * (1 + ADDED.fraction)) + ADDED.bytes;
}
