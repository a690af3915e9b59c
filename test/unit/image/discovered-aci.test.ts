import { mkdtempSync, rmSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseACIdentifier, parseImageName } from '../../../src/appc/index.ts';
import { discoverImage, discoverPublicKeys } from '../../../src/image/discovery/index.ts';
import { openHttpClient } from '../../../src/image/http/client.ts';
import type { HttpClient } from '../../../src/image/http/http.ts';
import {
  downloadDeferredSignature,
  downloadSignature,
  RemoteAci,
} from '../../../src/image/remote-aci/index.ts';
import { type Certificate, TestAuthority } from '../../support/certificates.ts';
import { type Answer, ScriptedServer } from '../../support/scripted-server.ts';

// From a name to an image's bytes, over real connections: TLS of an authority that the system does not know.

let directory = '';
let authority: TestAuthority;
let certificate: Certificate;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'rkt-discovery-'));
  authority = await TestAuthority.create(directory);
  certificate = await authority.issue('server');
});
afterAll(() => rmSync(directory, { recursive: true }));

const NAME = 'localhost/team/app';
const CONTENT = Buffer.from('0123456789'.repeat(10_000));

const page = (origin: string) => `<!DOCTYPE html>
<HTML><head><title>An app &amp; its <meta></title>
<meta content='localhost/team ${origin}/images/{name}-{version}-{os}.{ext}' name=ac-discovery>
<meta name="ac-discovery-pubkeys" content="localhost ${origin}/keys.gpg">
`;

type Pages = Readonly<Record<string, (response: ServerResponse, headers: Record<string, unknown>) => void>>;

function serving(pages: Pages): Answer {
  return ({ path, headers }, response) => {
    const answer = Object.hasOwn(pages, path) ? pages[path] : undefined;
    if (answer === undefined) response.writeHead(404).end();
    else answer(response, headers);
  };
}

const moved = (location: string) => (response: ServerResponse) => response.writeHead(302, { location }).end();

/** Names have no ports: those of the test's servers stand for the ports of https and http. */
class PortMapping implements HttpClient {
  readonly #client: HttpClient;
  readonly #ports: Readonly<Record<string, string>>;

  constructor(insecureHttp: boolean, servers: Readonly<Record<string, ScriptedServer | undefined>>) {
    const environment = { SSL_CERT_FILE: authority.caPath };
    this.#client = openHttpClient({ insecureTls: false, insecureHttp, environment });
    const ports = Object.entries(servers).map(([scheme, server]) => [scheme, server?.address.split(':')[1]]);
    this.#ports = Object.fromEntries(ports);
  }

  send: HttpClient['send'] = (request) => {
    const url = new URL(request.url);
    url.port ||= this.#ports[url.protocol] ?? '';
    return this.#client.send({ ...request, url: url.href });
  };

  close(): Promise<void> {
    return this.#client.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

test('a name leads to a parent page, by a redirect, and from there to image and keys', async () => {
  await using server = await ScriptedServer.start(
    serving({
      '/team?ac-discovery=1': moved('/pages/team'),
      '/pages/team': (response) => response.end(page(server.origin)),
    }),
    certificate,
  );
  await using client = new PortMapping(false, { 'https:': server });
  const options = { insecureHttp: false };
  expect(await discoverImage(client, parseImageName(`${NAME}:1.0,os=linux`), options)).toEqual([
    {
      aci: `${server.origin}/images/${NAME}-1.0-linux.aci`,
      signature: `${server.origin}/images/${NAME}-1.0-linux.aci.asc`,
    },
  ]);
  expect(await discoverPublicKeys(client, parseACIdentifier('localhost/team'), options)).toEqual([
    `${server.origin}/keys.gpg`,
  ]);
  expect(server.asked).toEqual([
    'GET /team/app?ac-discovery=1',
    'GET /team?ac-discovery=1',
    'GET /pages/team',
    'GET /team?ac-discovery=1',
    'GET /pages/team',
  ]);
});

test('plain http is not taken for a page, for where one leads, or for where an image is, unless it is allowed', async () => {
  await using plain = await ScriptedServer.start(
    serving({ '/team?ac-discovery=1': (response) => response.end(page(plain.origin)) }),
  );
  await using secure = await ScriptedServer.start(
    serving({
      '/team/app?ac-discovery=1': moved(`${plain.origin}/team?ac-discovery=1`),
      '/?ac-discovery=1': (response) => response.end(page(plain.origin)),
    }),
    certificate,
  );
  const servers = { 'https:': secure, 'http:': plain };
  {
    await using client = new PortMapping(false, servers);
    const search = discoverImage(client, parseImageName(NAME), { insecureHttp: false });
    await expect(search).rejects.toMatchObject({
      code: 'discovery',
      message: expect.stringMatching(
        /^discovery failed for "localhost\/team\/app": cannot fetch http:.* redirects: plain http is not allowed.*; https:.*\/team\?\.\.\.: expected a 200 OK got 404; .*plain http is not allowed: http:/,
      ),
    });
    expect(plain.asked).toEqual([]);
  }
  await using client = new PortMapping(true, servers);
  const [found] = await discoverImage(client, parseImageName(NAME), { insecureHttp: true });
  expect(found?.aci).toBe(`${plain.origin}/images/${NAME}-latest-linux.aci`);
});

test('an image whose server breaks off is resumed, then not fetched again until it changes', async () => {
  let etag = '"one"';
  let isCut = true;
  await using server = await ScriptedServer.start((request, response) => {
    if (request.headers['if-none-match'] === etag) {
      response.writeHead(304, { etag }).end();
      return;
    }
    const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1];
    const begin = request.headers['if-range'] === etag ? Number(range ?? 0) : 0;
    const partial = { 'content-range': `bytes ${begin}-${CONTENT.length - 1}/${CONTENT.length}` };
    response.writeHead(begin > 0 ? 206 : 200, {
      etag,
      'content-length': CONTENT.length - begin,
      ...(begin > 0 ? partial : {}),
    });
    if (isCut) response.write(CONTENT.subarray(0, 60_000), () => response.destroy());
    else response.end(CONTENT.subarray(begin));
  }, certificate);
  await using client = new PortMapping(false, {});
  const url = `${server.origin}/app.aci`;

  await using aci = new RemoteAci(client, url);
  const received: Buffer[] = [];
  const receive = async (offset: number) => {
    const opened = await aci.open(offset);
    expect({ offset: opened.offset, total: opened.total }).toEqual({ offset, total: CONTENT.length });
    for await (const chunk of opened.bytes) received.push(Buffer.from(chunk));
  };
  await expect(receive(0)).rejects.toMatchObject({ code: 'network' });
  const there = Buffer.concat(received).length;
  expect(there).toBeGreaterThan(0);
  isCut = false;
  await receive(there);
  expect(Buffer.concat(received).equals(CONTENT)).toBe(true);

  const note = { etag: '"one"', fetchedAt: aci.note?.fetchedAt ?? 0 };
  expect(aci.note).toEqual(note);
  expect(await aci.checkFresh(note)).toBe('unchanged');
  etag = '"two"';
  expect(await aci.checkFresh(note)).toBe('changed');
});

test('a signature that is deferred is there after the image', async () => {
  let isFetched = false;
  await using server = await ScriptedServer.start(
    serving({
      '/app.aci': (response) => {
        isFetched = true;
        response.end(CONTENT);
      },
      '/app.aci.asc': (response) => response.writeHead(isFetched ? 200 : 202).end('signature'),
    }),
    certificate,
  );
  await using client = new PortMapping(false, {});
  const signature = `${server.origin}/app.aci.asc`;
  expect(await downloadSignature(client, signature)).toEqual({ kind: 'deferred' });
  await expect(downloadDeferredSignature(client, signature)).rejects.toThrow('defer the download again');
  await using aci = new RemoteAci(client, `${server.origin}/app.aci`);
  const { bytes } = await aci.open(0);
  for await (const _ of bytes);
  expect((await downloadDeferredSignature(client, signature)).toString()).toBe('signature');
});
