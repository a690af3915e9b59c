/** A request as its caller sees it: credentials are in `headers`, and leave with a redirect to another origin. */
export interface HttpRequest {
  readonly method?: 'GET' | 'HEAD' | 'POST';
  /** Absolute, http or https. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal | undefined;
}

/** An answer after redirects. Its body is read once, or discarded: one of the two, or the connection stays busy. */
export interface HttpResponse {
  readonly status: number;
  /** Where the answer came from in the end. */
  readonly url: string;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Uint8Array>;
  discard(): Promise<void>;
}

/** Speaks HTTP for all that fetches. Any status is an answer; only what prevents one throws. */
export interface HttpClient {
  /** @throws ImageError `insecure` for plain http that was not allowed, `network` for whatever kept the answer from coming */
  send(request: HttpRequest): Promise<HttpResponse>;
  close(): Promise<void>;
}
