import { ImageError } from '../error.ts';
import type { ConnectionOptions, Dispatchers, HttpTimeouts } from './dispatchers.ts';
import { failureOf } from './failure.ts';
import type { HttpClient, HttpRequest, HttpResponse } from './http.ts';
import type { Environment } from './proxy.ts';
import { type Hop, redirected, redirectOf } from './redirect.ts';
import { toResponse } from './response.ts';
import { parseHttpUrl, showUrl } from './url.ts';

export interface HttpClientOptions {
  /** `--insecure-options=tls`: take any certificate. */
  readonly insecureTls: boolean;
  /** `--insecure-options=http`: speak plain http, also when https redirects to it. */
  readonly insecureHttp: boolean;
  /** Names proxies and certificates: http_proxy, https_proxy, no_proxy, SSL_CERT_FILE, SSL_CERT_DIR, NODE_EXTRA_CA_CERTS. */
  readonly environment: Environment;
  readonly timeouts?: HttpTimeouts;
}

const TIMEOUTS: HttpTimeouts = { connect: 30_000, headers: 60_000, body: 60_000 };
const MOST_REDIRECTS = 10;

/** A client for the time of a command. It keeps connections: close it. What it takes is loaded with the first request. */
export function openHttpClient(options: HttpClientOptions): HttpClient {
  return new UndiciClient(options);
}

class UndiciClient implements HttpClient {
  readonly #insecureHttp: boolean;
  readonly #options: ConnectionOptions;
  #dispatchers: Promise<Dispatchers> | undefined;

  constructor({ insecureTls, insecureHttp, environment, timeouts = TIMEOUTS }: HttpClientOptions) {
    this.#insecureHttp = insecureHttp;
    this.#options = { insecureTls, environment, timeouts };
  }

  async send(request: HttpRequest): Promise<HttpResponse> {
    let hop = firstHop(request);
    this.#requireAllowed(hop.url, '');
    for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
      const response = await this.#exchange(hop, request.signal);
      const location = redirectOf(response);
      if (location === undefined) return response;
      await response.discard();
      const next = redirected(hop, response.status, location);
      this.#requireAllowed(next.url, `, to which ${showUrl(hop.url)} redirects`);
      hop = next;
    }
    throw new ImageError(
      'bad-answer',
      `more than ${MOST_REDIRECTS} redirects, the last to ${showUrl(hop.url)}`,
    );
  }

  async close(): Promise<void> {
    await (await this.#dispatchers)?.destroy();
  }

  #requireAllowed(url: URL, how: string): void {
    if (url.protocol === 'https:' || this.#insecureHttp) return;
    throw new ImageError(
      'insecure',
      `cannot fetch ${showUrl(url)}${how}: plain http is not allowed (--insecure-options=http allows it)`,
    );
  }

  async #exchange(hop: Hop, signal: AbortSignal | undefined): Promise<HttpResponse> {
    signal?.throwIfAborted();
    this.#dispatchers ??= this.#load();
    const dispatchers = await this.#dispatchers;
    try {
      return toResponse(await dispatchers.request(hop, signal), hop.url, signal);
    } catch (error) {
      throw failureOf(error, hop.url, signal);
    }
  }

  // TLS and undici cost a command 60 ms, and most commands ask nobody.
  async #load(): Promise<Dispatchers> {
    const { openDispatchers } = await import('./dispatchers.ts');
    return openDispatchers(this.#options);
  }
}

function firstHop({ method = 'GET', url, headers = {}, body }: HttpRequest): Hop {
  const lowered = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  return {
    method,
    url: parseHttpUrl(url),
    headers: { 'user-agent': 'rkt', ...Object.fromEntries(lowered) },
    body,
  };
}
