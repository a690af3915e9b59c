import type { Configuration, ContainerCredentials, RegistryConfig } from '../config/index.ts';
import type { Authentication } from './authentication.ts';
import { openHttpClient } from './http/client.ts';
import { credentialHeaders } from './http/credentials.ts';
import type { HttpClient } from './http/http.ts';

/** What a command may go without when it speaks to servers. */
export interface Leniency {
  readonly tls: boolean;
  readonly http: boolean;
}

export interface NetworkOptions {
  readonly configuration: Pick<Configuration, 'auth' | 'registries'>;
  /** Names proxies and certificates. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly leniency: Leniency;
  /** Who somebody is at a registry. */
  readonly login: (
    registry: string,
    repository: string,
    signal: AbortSignal | undefined,
  ) => Promise<ContainerCredentials | undefined>;
}

/** How a command speaks to servers: its connections live as long as it does. Nothing is loaded before the first is asked for. */
export class Network implements AsyncDisposable {
  readonly #options: NetworkOptions;
  readonly #clients = new Map<string, HttpClient>();

  constructor(options: NetworkOptions) {
    this.#options = options;
  }

  get leniency(): Leniency {
    return this.#options.leniency;
  }

  /** A client; `also` is what a single server may go without besides. */
  client(also: Leniency = { tls: false, http: false }): HttpClient {
    const { leniency, environment } = this.#options;
    const insecureTls = leniency.tls || also.tls;
    const insecureHttp = leniency.http || also.http;
    const key = JSON.stringify([insecureTls, insecureHttp]);
    const client = this.#clients.get(key) ?? openHttpClient({ insecureTls, insecureHttp, environment });
    this.#clients.set(key, client);
    return client;
  }

  /** What the configuration has for a URL's host. */
  readonly authentication: Authentication = (url) =>
    credentialHeaders({ url }, this.#options.configuration.auth);

  registry(name: string): RegistryConfig | undefined {
    return this.#options.configuration.registries.get(name);
  }

  login(
    registry: string,
    repository: string,
    signal: AbortSignal | undefined,
  ): Promise<ContainerCredentials | undefined> {
    return this.#options.login(registry, repository, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#clients.values()].map((client) => client.close()));
  }
}
