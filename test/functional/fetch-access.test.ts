import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { useFetchBench } from '../support/fetch-bench.ts';
import { aciOf } from '../support/image-files.ts';
import { ImageSite, metaPage, movedTo } from '../support/image-site.ts';
import type { ScriptedServer } from '../support/scripted-server.ts';

// Who is let in with what, who learns of it, and which way requests take.

const HIDDEN = 'behind.example.com';
const bench = useFetchBench(
  ['example.com', 'cdn.example.com', 'old.example.com', 'proxy.example.com'],
  [HIDDEN],
);
const { rkt, site } = bench;
const plain = new ImageSite();
const PROXY_PORT = 3128;
let proxy: ScriptedServer;
let proxyAnswers = true;
/** `CONNECT behind.example.com:443`, with what the proxy was told of who asks. */
const connected: string[] = [];

beforeAll(async () => {
  await bench.network.serve(plain.answer);
  // What is plain http comes to a proxy as a request for a whole URL.
  proxy = await bench.network.serve(plain.answer, undefined, PROXY_PORT);
  proxy.server.on('connect', (request, socket) => {
    connected.push(`CONNECT ${request.url} ${request.headers['proxy-authorization'] ?? '-'}`);
    if (!proxyAnswers) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      return;
    }
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
    bench.server.server.emit('connection', socket);
  });
});

const IMAGE = aciOf({ name: 'example.com/app' });
const unsigned = { insecure: 'image' };
const PASSWORD = 'correct horse';
const basic = (user: string, password: string) =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

beforeEach(() => {
  for (const one of [site, plain]) one.clear();
  for (const server of [bench.server, proxy]) server.requests.length = 0;
  connected.length = 0;
  rmSync(join(rkt.localConfig, 'auth.d'), { recursive: true, force: true });
});

/** The host's configuration from now on. */
function configure(...entries: ReadonlyArray<Readonly<Record<string, unknown>>>): void {
  mkdirSync(join(rkt.localConfig, 'auth.d'));
  for (const [index, entry] of entries.entries()) {
    const file = { rktKind: 'auth', rktVersion: 'v1', ...entry };
    writeFileSync(join(rkt.localConfig, 'auth.d', `${index}.json`), JSON.stringify(file));
  }
}

/** Of the publisher: which host was asked for what, with which credentials. */
const asked = () =>
  bench.server.requests.map(({ path, headers }) => `${headers.host}${path} ${headers.authorization ?? '-'}`);

describe('credentials', () => {
  const ALICE = {
    domains: ['example.com'],
    type: 'basic',
    credentials: { user: 'alice', password: PASSWORD },
  };
  const TOKEN = { domains: ['cdn.example.com:443'], type: 'oauth', credentials: { token: 'a-token' } };

  test('are for their host: its pages, signatures and images, and for no other', async () => {
    configure(ALICE, TOKEN);
    const authorization = basic('alice', PASSWORD);
    site.put('/', {
      content: metaPage(['ac-discovery', 'example.com https://example.com/{name}.{ext}']),
      authorization,
    });
    site.put('/example.com/app.aci', movedTo('https://old.example.com/old.aci'));
    site.put('/old.aci', movedTo('https://cdn.example.com/new.aci'));
    site.put('/new.aci', IMAGE);
    await bench.fetch(['example.com/app'], { store: 'hosts', ...unsigned });
    expect(asked()).toEqual([
      `example.com/app?ac-discovery=1 ${authorization}`,
      `example.com/?ac-discovery=1 ${authorization}`,
      `example.com/example.com/app.aci ${authorization}`,
      // A redirect does not make a host one that credentials were given to, nor one that is asked with its own.
      'old.example.com/old.aci -',
      'cdn.example.com/new.aci -',
    ]);
    bench.server.requests.length = 0;
    await bench.refusal(['https://cdn.example.com/absent.aci'], { store: 'signature' });
    expect(asked()).toEqual(['cdn.example.com/absent.aci.asc Bearer a-token']);
  });

  test('are not sent by plain http', async () => {
    configure({ ...ALICE, domains: ['example.com', 'example.com:80'] });
    plain.put('/app.aci', (request, response) => response.end(request.headers.authorization ?? IMAGE));
    await bench.fetch(['http://example.com/app.aci'], { store: 'plain', insecure: 'image,http' });
  });

  test('that are missing or wrong are said to be, and not shown', async () => {
    site.put('/app.aci', { content: IMAGE, authorization: basic('alice', PASSWORD) });
    const url = 'https://example.com/app.aci';
    const refused =
      /^fetch: image https:\/\/example\.com\/app\.aci: https:\/\/example\.com\/app\.aci: bad HTTP status code: 401$/m;
    expect(await bench.refusal([url], { store: 'none', ...unsigned })).toMatch(refused);
    configure({ ...ALICE, credentials: { user: 'alice', password: 'wrong horse' } });
    const { code, stderr } = await bench.run(['--debug', 'fetch', url], { store: 'none', ...unsigned });
    expect({ code, stderr }).toEqual({ code: 254, stderr: expect.stringMatching(refused) });
    expect(stderr).not.toMatch(/horse|[Bb]asic|YWxpY2U/);
    rmSync(join(rkt.localConfig, 'auth.d'), { recursive: true });
    configure(ALICE);
    await bench.fetch([url], { store: 'none', ...unsigned });
  });

  test('in a URL are refused, and not shown', async () => {
    for (const url of [
      'https://alice:secret@example.com/app.aci',
      'https://alice:secret@example.com:x/app.aci',
    ]) {
      const line = await bench.refusal([url], { store: 'url', ...unsigned });
      expect(line).not.toContain('secret');
      expect(line).toMatch(/has a user name or password in it$|not a URL/m);
    }
    site.put('/app.aci', movedTo('https://alice:secret@cdn.example.com/app.aci'));
    const line = await bench.refusal(['https://example.com/app.aci'], { store: 'url', ...unsigned });
    expect(line).toMatch(
      /redirect from https:\/\/example\.com\/app\.aci: URL https:\/\/cdn\.example\.com\/app\.aci has a user name or password in it$/m,
    );
    expect(asked()).toEqual(['example.com/app.aci -']);
  });

  test('in the query of a URL are sent, and shown neither then nor later', async () => {
    site.put('/app.aci', IMAGE);
    const url = 'https://example.com/app.aci?signature=secret';
    const { code, stderr } = await bench.run(['--debug', 'fetch', url], { store: 'query', ...unsigned });
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringContaining('https://example.com/app.aci?...'),
    });
    expect(stderr).not.toContain('secret');
    expect(site.log).toEqual(['GET /app.aci?signature=secret 200']);
    site.clear();
    expect(await bench.refusal([url], { store: 'query-2', ...unsigned })).not.toContain('secret');
  });
});

describe('the other end', () => {
  const url = 'https://example.com/app.aci';

  test('speaks TLS, unless plain http is allowed', async () => {
    for (const one of [plain, site]) one.put('/app.aci', IMAGE);
    const options = { store: 'http', ...unsigned };
    expect(await bench.refusal(['http://example.com/app.aci'], options)).toMatch(
      /: cannot fetch http:\/\/example\.com\/app\.aci: plain http is not allowed \(--insecure-options=http allows it\)$/m,
    );
    site.put('/app.aci', movedTo('http://example.com/app.aci'));
    expect(await bench.refusal([url], options)).toMatch(
      /http:\/\/example\.com\/app\.aci, to which https:\/\/example\.com\/app\.aci redirects: plain http is not allowed/,
    );
    expect(plain.log).toEqual([]);
    await bench.fetch(['http://example.com/app.aci'], { ...options, insecure: 'image,http' });
  });

  test.each([
    [
      'is vouched for by nobody',
      {},
      { SSL_CERT_FILE: '/dev/null' },
      /is not signed by an authority that is trusted here/,
    ],
    ['has another name', { names: 'DNS:example.org' }, {}, /is for DNS:example\.org, not for this host/],
    ['is too old', { days: -1 }, {}, /has expired/],
  ])(
    'is not believed if its certificate %s, unless any is taken',
    async (what, certificate, env, message) => {
      const issued = await bench.authority.issue(what.replaceAll(' ', '-'), {
        names: 'DNS:example.com',
        ...certificate,
      });
      const server = await bench.network.serve(site.answer, issued, 8443);
      site.put('/app.aci', IMAGE);
      const options = { store: what.replaceAll(' ', '-'), env };
      const args = ['https://example.com:8443/app.aci'];
      const line = await bench.refusal(args, { ...options, ...unsigned });
      expect(line).toMatch(message);
      expect(line).toContain('--insecure-options=tls');
      expect(site.log).toEqual([]);
      await bench.fetch(args, { ...options, insecure: 'image,tls' });
      await server.close();
    },
  );
});

describe('a proxy', () => {
  const url = `https://${HIDDEN}/app.aci`;
  const proxyUrl = `http://proxy.example.com:${PROXY_PORT}`;

  test('of the environment leads to where nothing else does', async () => {
    site.put('/app.aci', IMAGE);
    const options = { store: 'proxy', ...unsigned };
    expect(await bench.refusal([url], { ...options, store: 'no-proxy' })).toMatch(
      /no such host|could not be looked up/,
    );
    for (const name of ['https_proxy', 'HTTPS_PROXY'])
      await bench.fetch([url], { ...options, env: { [name]: proxyUrl } });
    expect(connected).toEqual(Array(2).fill(`CONNECT ${HIDDEN}:443 -`));
  });

  test('is told of by name and password, which nobody else learns', async () => {
    site.put('/app.aci', IMAGE);
    const env = { https_proxy: `http://bob:pass%20word@proxy.example.com:${PROXY_PORT}` };
    await bench.fetch([url], { store: 'login', env, ...unsigned });
    expect(connected).toEqual([`CONNECT ${HIDDEN}:443 ${basic('bob', 'pass word')}`]);
    proxyAnswers = false;
    const line = await bench.refusal([url], { store: 'refused', env, ...unsigned });
    proxyAnswers = true;
    expect(line).toMatch(/: the proxy answered with status 407/);
    expect(line).not.toMatch(/bob|pass/);
  });

  test('is not for what no_proxy names, nor for https if it is that of http', async () => {
    site.put('/app.aci', IMAGE);
    const direct = ['https://example.com/app.aci'];
    const [https_proxy, no_proxy] = [proxyUrl, 'other.example, .com'];
    await bench.fetch(direct, { store: 'exempt', env: { https_proxy, no_proxy }, ...unsigned });
    await bench.fetch(direct, { store: 'http-only', env: { http_proxy: proxyUrl }, ...unsigned });
    expect([connected, proxy.asked]).toEqual([[], []]);
  });

  test('is asked for what comes by plain http', async () => {
    plain.put('/app.aci', IMAGE);
    const env = { http_proxy: proxyUrl };
    await bench.fetch([`http://${HIDDEN}/app.aci`], { store: 'plain-proxy', env, insecure: 'image,http' });
    expect(proxy.asked).toEqual([`GET http://${HIDDEN}/app.aci`]);
  });
});
