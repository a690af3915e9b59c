import { createSecureContext, type SecureContext } from 'node:tls';
import type { Dispatcher } from 'undici';
import { trustedAuthorities } from './authorities.ts';
import { type Environment, proxyFor } from './proxy.ts';
import type { Hop } from './redirect.ts';

/** All in milliseconds. */
export interface HttpTimeouts {
  readonly connect: number;
  /** From the request to the end of the answer's headers. */
  readonly headers: number;
  /** Between two pieces of a body, as long as somebody waits for them. */
  readonly body: number;
}

export interface ConnectionOptions {
  /** Take any certificate. */
  readonly insecureTls: boolean;
  /** What names proxies and certificates. */
  readonly environment: Environment;
  readonly timeouts: HttpTimeouts;
}

type Undici = typeof import('undici');

/** Of all headers of an answer together; the signed URLs that object stores redirect to take 3 kB. */
const LARGEST_HEADERS = 32 * 1024;

/** Loads undici. */
export async function openDispatchers(options: ConnectionOptions): Promise<Dispatchers> {
  return new Dispatchers(await import('undici'), options);
}

/** The pools of connections: one for each way to get somewhere, made when it is first taken. */
export class Dispatchers {
  readonly #undici: Undici;
  readonly #options: ConnectionOptions;
  readonly #made = new Map<string, Dispatcher>();
  #authorities: SecureContext | undefined;

  constructor(undici: Undici, options: ConnectionOptions) {
    this.#undici = undici;
    this.#options = options;
  }

  /** @throws ImageError unsupported, system (a proxy or certificates that cannot be used); and what undici throws */
  request({ method, url, headers, body }: Hop, signal: AbortSignal | undefined) {
    return this.#undici.request(url, {
      dispatcher: this.#dispatcherFor(url),
      method,
      headers,
      body: body ?? null,
      ...(signal === undefined ? {} : { signal }),
    });
  }

  /** Ends what is still connected. */
  async destroy(): Promise<void> {
    await Promise.all([...this.#made.values()].map((dispatcher) => dispatcher.destroy()));
  }

  #dispatcherFor(url: URL): Dispatcher {
    const proxy = proxyFor(url, this.#options.environment);
    const way = `${url.protocol} ${proxy?.href ?? 'direct'}`;
    const made = this.#made.get(way) ?? this.#make(url.protocol === 'https:', proxy);
    this.#made.set(way, made);
    return made;
  }

  #make(secure: boolean, proxy: URL | undefined): Dispatcher {
    const { timeouts } = this.#options;
    const limits = {
      headersTimeout: timeouts.headers,
      bodyTimeout: timeouts.body,
      maxHeaderSize: LARGEST_HEADERS,
    };
    const { Agent, Pool, ProxyAgent } = this.#undici;
    if (proxy === undefined) return new Agent({ ...limits, connect: this.#connect(secure) });
    return new ProxyAgent({
      ...limits,
      uri: proxy.href,
      // What is plain http anyway goes to the proxy as such: many refuse tunnels to other ports than 443.
      proxyTunnel: false,
      requestTls: this.#connect(secure),
      proxyTls: this.#connect(proxy.protocol === 'https:'),
      clientFactory: (origin, options) => new Pool(origin, { ...options, ...limits }),
    });
  }

  #connect(secure: boolean) {
    const timeout = this.#options.timeouts.connect;
    if (!secure) return { timeout };
    this.#authorities ??= createSecureContext({ ca: trustedAuthorities(this.#options.environment) });
    return {
      timeout,
      secureContext: this.#authorities,
      rejectUnauthorized: !this.#options.insecureTls,
    };
  }
}
