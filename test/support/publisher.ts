import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestAuthority } from './certificates.ts';
import { ScriptedServer } from './scripted-server.ts';

/** What a site has, by path without the query. */
export type Site = ReadonlyMap<string, string | Uint8Array>;

/**
 * The site of somebody who publishes images, under any names on their usual ports: whoever asks does so through a proxy, which connects
 * every name to here.
 */
export class Publisher implements AsyncDisposable {
  readonly #directory: string;
  readonly #authority: TestAuthority;
  readonly #site: ScriptedServer;
  readonly #proxy: ScriptedServer;

  private constructor(
    directory: string,
    authority: TestAuthority,
    { site, proxy }: { readonly site: ScriptedServer; readonly proxy: ScriptedServer },
  ) {
    this.#directory = directory;
    this.#authority = authority;
    this.#site = site;
    this.#proxy = proxy;
  }

  /** `https` is what the site has there, `http` what it has by plain http, which a proxy asks for itself. */
  static async start(names: readonly string[], https: Site, http: Site = new Map()): Promise<Publisher> {
    const directory = mkdtempSync(join(tmpdir(), 'rkt-publisher-'));
    const authority = await TestAuthority.create(directory);
    const certificate = await authority.issue('site', {
      names: names.map((name) => `DNS:${name}`).join(','),
    });
    const site = await ScriptedServer.start(serving(https), certificate);
    const proxy = await ScriptedServer.start(serving(http));
    const port = Number(new URL(site.origin).port);
    proxy.server.on('connect', (_request, socket) => {
      const upstream = connect(port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        socket.pipe(upstream).pipe(socket);
      });
      for (const end of [socket, upstream]) end.on('error', () => end.destroy());
    });
    return new Publisher(directory, authority, { site, proxy });
  }

  /** What has to be in the environment of those who shall find it. */
  get environment(): Readonly<Record<string, string>> {
    const { origin } = this.#proxy;
    return { https_proxy: origin, http_proxy: origin, SSL_CERT_FILE: this.#authority.caPath };
  }

  async close(): Promise<void> {
    await Promise.all([this.#proxy, this.#site].map((server) => server.close()));
    rmSync(this.#directory, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function serving(site: Site): Parameters<typeof ScriptedServer.start>[0] {
  return ({ path }, response) => {
    const content = site.get(new URL(path, 'http://site').pathname);
    if (content === undefined) response.writeHead(404).end();
    else response.writeHead(200).end(content);
  };
}

/** A page that announces keys for the images of a prefix. */
export function keysPage(prefix: string, url: string): string {
  return `<html><head><meta name="ac-discovery-pubkeys" content="${prefix} ${url}"></head></html>`;
}
