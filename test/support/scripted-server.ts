import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Server as Listener } from 'node:net';
import type { Certificate } from './certificates.ts';
import { TestSupportError } from './error.ts';

export interface SeenRequest {
  readonly method: string;
  /** Path and query; the whole URL if it came to a proxy. */
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
}

export type Answer = (request: SeenRequest, response: ServerResponse) => void;

/** A server on the loopback whose every answer a test writes, right or wrong; it keeps what it was asked. */
export class ScriptedServer implements AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  readonly address: string;
  /** `http://127.0.0.1:PORT`, or https. */
  readonly origin: string;
  readonly requests: SeenRequest[] = [];
  readonly server: Server;

  private constructor(server: Server, scheme: string) {
    const address = server.address();
    if (address === null || typeof address === 'string')
      throw new TestSupportError('FIXTURE_FAILED', 'the scripted server has no port');
    this.server = server;
    this.address = `127.0.0.1:${address.port}`;
    this.origin = `${scheme}://${this.address}`;
  }

  /** With a certificate: https. On a free port of this machine, unless one is given that is open already. */
  static async start(
    answer: Answer,
    certificate?: Certificate,
    listener?: Listener,
  ): Promise<ScriptedServer> {
    const server =
      certificate === undefined
        ? createServer()
        : createTlsServer({
            cert: readFileSync(certificate.certificatePath),
            key: readFileSync(certificate.keyPath),
          });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      if (listener === undefined) server.listen(0, '127.0.0.1', resolve);
      else server.listen(listener, resolve);
    });
    const scripted = new ScriptedServer(server, certificate === undefined ? 'http' : 'https');
    server.on('request', (request, response) => {
      const { method = '', url = '', headers } = request;
      const seen = { method, path: url, headers };
      scripted.requests.push(seen);
      request.resume();
      answer(seen, response);
    });
    return scripted;
  }

  /** `GET /path` of each request so far. */
  get asked(): string[] {
    return this.requests.map(({ method, path }) => `${method} ${path}`);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** An answer that is always the same. */
export function answering(status: number, headers: Record<string, string> = {}, body = ''): Answer {
  const length = { 'content-length': `${Buffer.byteLength(body)}` };
  return (_request, response) => response.writeHead(status, { ...length, ...headers }).end(body);
}
