import { createHash } from 'node:crypto';
import type { ImageEvent } from '../../src/image/event.ts';
import { openHttpClient } from '../../src/image/http/client.ts';
import type { HttpClient } from '../../src/image/http/http.ts';
import type { Environment } from '../../src/image/http/proxy.ts';
import type { Clock } from '../../src/image/registry/clock.ts';
import {
  openRegistry,
  type RegistryOptions,
  type RegistrySource,
} from '../../src/image/registry/registry.ts';
import { parseDigest } from '../../src/oci/index.ts';
import type { Certificate } from './certificates.ts';
import { type Answer, ScriptedServer } from './scripted-server.ts';

export const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
export const REPOSITORY = 'team/app';

export const digestOf = (content: string | Buffer) =>
  parseDigest(`sha256:${createHash('sha256').update(content).digest('hex')}`);

/** A manifest as far as a client of registries looks at it. */
export const MANIFEST = JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST_TYPE, layers: [] });

export const manifestAnswer: Answer = (_request, response) =>
  response.writeHead(200, { 'content-type': MANIFEST_TYPE }).end(MANIFEST);

/** Time that passes only while somebody sleeps, and chance that always takes the longest. */
export class TestClock implements Clock {
  readonly pauses: number[] = [];
  #now = Date.parse('2020-01-01T00:00:00Z');

  now(): number {
    return this.#now;
  }

  random(): number {
    return 1;
  }

  async sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    this.pauses.push(milliseconds);
    this.pass(milliseconds);
  }

  pass(milliseconds: number): void {
    this.#now += milliseconds;
  }
}

/** What a test of the registry client has open: servers, one HTTP client, a clock, and what was reported. */
export class RegistryBench implements AsyncDisposable {
  readonly clock = new TestClock();
  readonly events: ImageEvent[] = [];
  readonly client: HttpClient;
  readonly #servers: ScriptedServer[] = [];

  constructor(environment: Environment = {}) {
    this.client = openHttpClient({ insecureTls: false, insecureHttp: true, environment });
  }

  /** With a certificate it speaks TLS; that another does not is found out by the client. */
  async serve(answer: Answer, certificate?: Certificate): Promise<ScriptedServer> {
    const server = await ScriptedServer.start(answer, certificate);
    this.#servers.push(server);
    return server;
  }

  /** The source of `REPOSITORY:1` on a server. */
  open(server: { readonly address: string }, options: Partial<RegistryOptions> = {}): RegistrySource {
    return openRegistry(
      { registry: server.address, repository: REPOSITORY, tag: '1' },
      {
        client: this.client,
        credentials: () => undefined,
        insecureHttp: true,
        clock: this.clock,
        report: (event) => this.events.push(event),
        ...options,
      },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
    await Promise.all(this.#servers.map((server) => server.close()));
  }
}

/** Answers in turn; the last one again and again. */
export function inTurn(...answers: readonly Answer[]): Answer {
  let next = 0;
  return (request, response) => answers[Math.min(next++, answers.length - 1)]?.(request, response);
}
