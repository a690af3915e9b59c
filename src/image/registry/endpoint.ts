import type { ContainerCredentials } from '../../config/index.ts';
import { ImageError } from '../error.ts';
import type { HttpClient, HttpRequest, HttpResponse } from '../http/http.ts';
import { Authentication } from './authentication.ts';
import type { Clock } from './clock.ts';
import { type Refusal, refusalOf } from './refusal.ts';

export interface EndpointOptions {
  readonly client: HttpClient;
  readonly clock: Clock;
  readonly credentials: ContainerCredentials | undefined;
  /** Speak plain http where https is not spoken. */
  readonly insecureHttp: boolean;
  readonly signal: AbortSignal | undefined;
}

interface Session {
  readonly origin: string;
  readonly authentication: Authentication;
}

/** A repository on one server: the registry's own or a mirror. */
export class Endpoint {
  /** `HOST[:PORT]`. */
  readonly host: string;
  readonly #repository: string;
  readonly #options: EndpointOptions;
  #session: Promise<Session> | undefined;

  constructor(host: string, repository: string, options: EndpointOptions) {
    this.host = host;
    this.#repository = repository;
    this.#options = options;
  }

  /** Asks for something of the repository, showing who asks if the server wants that. Any status is an answer. @throws ImageError */
  async ask(path: string, request: Omit<HttpRequest, 'url'>): Promise<HttpResponse> {
    this.#session ??= this.#connect();
    const { origin, authentication } = await this.#session;
    const send = (authorization: string | undefined) => {
      const headers = { ...request.headers, ...(authorization === undefined ? {} : { authorization }) };
      const url = `${origin}/v2/${this.#repository}/${path}`;
      return this.#options.client.send({ ...request, url, headers });
    };
    const shown = await authentication.authorization();
    const response = await send(shown);
    // Whom the registry redirects to is not whom its login is for.
    if (response.status !== 401 || new URL(response.url).origin !== origin) return response;
    const renewed = await this.#renewed(authentication, response, shown);
    if (renewed === undefined) return response;
    await response.discard();
    return send(renewed);
  }

  /** What an answer that is not the one asked for means. `what` is what was asked for. */
  refusal(response: HttpResponse, what: string): Promise<Refusal> {
    const { clock, credentials } = this.#options;
    const words = credentials === undefined ? 'authentication required' : 'the login is not accepted';
    return refusalOf(response, `${what} of ${this.#repository} in ${this.host}`, { now: clock.now(), words });
  }

  async #renewed(authentication: Authentication, response: HttpResponse, shown: string | undefined) {
    const { 'www-authenticate': challenges = '' } = response.headers;
    try {
      return await authentication.renewed(challenges, shown);
    } catch (error) {
      await response.discard();
      throw error;
    }
  }

  async #connect(): Promise<Session> {
    const { insecureHttp, ...options } = this.#options;
    const plain = insecureHttp && !(await this.#speaksTls());
    return {
      // As answers have it, which leave out the port that the scheme has anyway.
      origin: new URL(`${plain ? 'http' : 'https'}://${this.host}`).origin,
      authentication: new Authentication(this.#repository, { ...options, plain }),
    };
  }

  // Also where plain http is allowed, it is what is left when nothing better is there.
  async #speaksTls(): Promise<boolean> {
    const { client, signal } = this.#options;
    try {
      const response = await client.send({ url: `https://${this.host}/v2/`, signal });
      await response.discard();
      return true;
    } catch (error) {
      if (error instanceof ImageError) return false;
      throw error;
    }
  }
}
