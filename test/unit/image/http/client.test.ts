import { afterEach, expect, test } from 'vitest';
import { type HttpClientOptions, openHttpClient } from '../../../../src/image/http/client.ts';
import type { HttpClient } from '../../../../src/image/http/http.ts';
import { readBytes, readText } from '../../../../src/image/http/response.ts';
import { eventually } from '../../../support/polling.ts';
import { type Answer, answering, ScriptedServer } from '../../../support/scripted-server.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function open(options: Partial<HttpClientOptions> = {}): HttpClient {
  const client = openHttpClient({ insecureTls: false, insecureHttp: true, environment: {}, ...options });
  closing.push(() => client.close());
  return client;
}

async function serve(answer: Answer): Promise<ScriptedServer> {
  const server = await ScriptedServer.start(answer);
  closing.push(() => server.close());
  return server;
}

const failure = (code: string, message: RegExp) =>
  expect.objectContaining({ name: 'ImageError', code, message: expect.stringMatching(message) });

test('any status is an answer, with its headers by lower-case name and its body', async () => {
  const server = await serve(answering(418, { 'X-Kind': 'Teapot', 'Set-Cookie': 'a' }, 'short and stout'));
  const response = await open().send({ url: `${server.origin}/pot?full`, headers: { Accept: 'tea' } });
  expect(response).toMatchObject({ status: 418, url: `${server.origin}/pot?full` });
  expect(response.headers).toMatchObject({ 'x-kind': 'Teapot', 'set-cookie': 'a' });
  expect(await readText(response, 100, 'pot')).toBe('short and stout');
  expect(server.requests).toMatchObject([
    { method: 'GET', path: '/pot?full', headers: { accept: 'tea', 'user-agent': 'rkt' } },
  ]);
});

test('what is posted arrives', async () => {
  const server = await ScriptedServer.start(() => undefined);
  closing.push(() => server.close());
  server.server.on('request', (request, response) => request.pipe(response));
  const response = await open().send({ method: 'POST', url: server.origin, body: 'grant_type=password' });
  expect(await readText(response, 100, 'echo')).toBe('grant_type=password');
});

test('plain http has to be allowed, also behind a redirect', async () => {
  const server = await serve(answering(200));
  const client = open({ insecureHttp: false });
  await expect(client.send({ url: `${server.origin}/x?token=secret` })).rejects.toEqual(
    failure(
      'insecure',
      /^cannot fetch http:\/\/127\.0\.0\.1:\d+\/x\?\.\.\.: plain http .*--insecure-options=http/,
    ),
  );
  expect(server.requests).toEqual([]);
});

test('credentials are for the origin that they were given to', async () => {
  const other = await serve(answering(200, {}, 'layer'));
  const server = await serve(({ path }, response) => {
    response
      .writeHead(307, { location: path === '/here' ? '/there' : `${other.origin}/blob?sig=1` })
      .end('moved');
  });
  const headers = { authorization: 'Basic abc', cookie: 'c', range: 'bytes=7-' };
  const response = await open().send({ url: `${server.origin}/here`, headers });
  expect([response.url, await readText(response, 10, 'blob')]).toEqual([
    `${other.origin}/blob?sig=1`,
    'layer',
  ]);
  expect(server.requests.map((request) => request.headers.authorization)).toEqual(['Basic abc', 'Basic abc']);
  expect(other.requests[0]?.headers).toMatchObject({ range: 'bytes=7-' });
  expect(other.requests[0]?.headers).not.toMatchObject({ authorization: expect.anything() });
  expect(other.requests[0]?.headers).not.toMatchObject({ cookie: expect.anything() });
});

test('redirects that do not end are left', async () => {
  const server = await serve(answering(302, { location: '/again?secret' }));
  await expect(open().send({ url: server.origin })).rejects.toEqual(
    failure('bad-answer', /^more than 10 redirects, the last to http:\/\/127\.0\.0\.1:\d+\/again\?\.\.\.$/),
  );
  expect(server.requests).toHaveLength(11);
});

test.each(['ftp://a.example/', 'https://user:secret@a.example/', 'image.aci', 'https://user:secret@/'])(
  '%s is not fetched, and its password not told',
  async (url) => {
    const failed = open().send({ url });
    await expect(failed).rejects.toMatchObject({ code: 'bad-reference' });
    await expect(failed).rejects.not.toThrow(/secret/);
  },
);

test('a host that is not there, does not answer in time, or answers in another language', async () => {
  const silent = await serve(() => undefined);
  const garbled = await serve((_, response) => response.socket?.end('SSH-2.0-OpenSSH_9.2\r\n'));
  const abrupt = await serve((_, response) => response.socket?.destroy());
  const timeouts = { connect: 1000, headers: 1000, body: 1000 };
  const client = open({ timeouts });
  const send = (url: string) => client.send({ url });
  await abrupt.close();
  await expect(send(abrupt.origin)).rejects.toEqual(
    failure('network', /^cannot fetch http:\S+: connection refused$/),
  );
  await expect(send('http://nowhere.invalid/')).rejects.toEqual(
    failure('network', /: (no such host|its name)/),
  );
  await expect(send(silent.origin)).rejects.toEqual(failure('network', /: no answer in time$/));
  await expect(send(garbled.origin)).rejects.toEqual(failure('bad-answer', /: its answer is not HTTP/));
});

test('headers without end are cut off', async () => {
  const server = await serve(answering(200, { 'x-long': 'x'.repeat(40_000) }));
  await expect(open().send({ url: server.origin })).rejects.toEqual(
    failure('bad-answer', /the headers of its answer are too large$/),
  );
});

test('a body that breaks off, or stops, is no whole body', async () => {
  const start = (response: Parameters<Answer>[1]) =>
    response.writeHead(200, { 'content-length': '10' }).write('12345');
  const broken = await serve((_, response) => {
    start(response);
    setTimeout(() => response.socket?.destroy(), 20);
  });
  const stalled = await serve((_, response) => start(response));
  const client = open({ timeouts: { connect: 1000, headers: 1000, body: 1000 } });
  const read = async (url: string) => readText(await client.send({ url }), 100, 'body');
  await expect(read(broken.origin)).rejects.toEqual(failure('network', /: the connection broke off$/));
  await expect(read(stalled.origin)).rejects.toEqual(failure('network', /: nothing more came in time$/));
});

test('a body that breaks off before somebody reads it does not end the program', async () => {
  const server = await serve((_, response) => {
    response.writeHead(200, { 'content-length': '10' }).write('12345');
    setTimeout(() => response.socket?.destroy(), 20);
  });
  const response = await open().send({ url: server.origin });
  await new Promise((resolve) => setTimeout(resolve, 100));
  await expect(readText(response, 100, 'body')).rejects.toEqual(failure('network', /broke off$/));
});

test('an abort ends a request and a body with its own reason', async () => {
  const silent = await serve(({ path }, response) => {
    if (path === '/body') response.writeHead(200, { 'content-length': '10' }).write('1');
  });
  const client = open();
  const reason = new Error('enough');
  await expect(client.send({ url: silent.origin, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  expect(silent.requests).toEqual([]);
  for (const path of ['/headers', '/body']) {
    const stop = new AbortController();
    setTimeout(() => stop.abort(reason), 50);
    const read = async () =>
      readText(await client.send({ url: `${silent.origin}${path}`, signal: stop.signal }), 100, 'x');
    await expect(read()).rejects.toBe(reason);
  }
});

test('a text is as long as it may be, and UTF-8 to the last byte', async () => {
  const bodies = [Buffer.from('123456'), Buffer.from([0xff, 0xfe]), Buffer.from('\u{feff}{}')];
  const server = await serve(({ path }, response) => response.end(bodies[Number(path.slice(1))]));
  const client = open();
  const read = async (n: number, limit: number) =>
    readText(await client.send({ url: `${server.origin}/${n}` }), limit, 'manifest');
  expect(await read(0, 6)).toBe('123456');
  await expect(read(0, 5)).rejects.toEqual(failure('too-large', /^manifest is longer than 5 bytes$/));
  await expect(read(1, 5)).rejects.toEqual(failure('bad-answer', /^manifest is not UTF-8$/));
  expect(Buffer.from(await read(2, 5))).toEqual(bodies[2]);
});

test('what is read into memory may not come drop by drop', async () => {
  const server = await serve((_, response) => {
    const timer = setInterval(() => response.write('.'), 10);
    response.once('close', () => clearInterval(timer));
  });
  const response = await open().send({ url: server.origin });
  await expect(readBytes(response, 1000, 'manifest', 100)).rejects.toEqual(
    failure('network', /^manifest is not there after 0\.1 s$/),
  );
});

test('a discarded answer gives its connection to the next one, unless it goes on and on', async () => {
  const ports = new Set<number | undefined>();
  const server = await serve(({ path }, response) => {
    ports.add(response.socket?.remotePort);
    if (path === '/short') response.end('short');
    else response.writeHead(200, { 'content-length': '10000000' }).write('long');
  });
  const client = open();
  for (let n = 0; n < 3; n++) await (await client.send({ url: `${server.origin}/short` })).discard();
  expect(ports.size).toBe(1);
  await (await client.send({ url: `${server.origin}/long` })).discard();
  await (await client.send({ url: `${server.origin}/short` })).discard();
  expect(ports.size).toBe(2);
});

test('a proxy is asked for the whole of a plain URL, and for a tunnel to a secure one', async () => {
  const proxy = await serve(answering(200, {}, 'from the proxy'));
  const tunnels: string[] = [];
  proxy.server.on('connect', (request, socket) => {
    tunnels.push(`${request.url} ${request.headers['proxy-authorization']}`);
    socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
  });
  const environment = { http_proxy: proxy.origin, https_proxy: `us%40er:secret@${proxy.address}` };
  const client = open({ environment });
  const response = await client.send({ url: 'http://registry.example/v2/?x' });
  expect(await readText(response, 100, 'answer')).toBe('from the proxy');
  expect(proxy.requests).toMatchObject([
    { path: 'http://registry.example/v2/?x', headers: { host: 'registry.example' } },
  ]);
  const refused = client.send({ url: 'https://registry.example/v2/' });
  await expect(refused).rejects.toEqual(
    failure(
      'bad-answer',
      /^cannot fetch https:\/\/registry\.example\/v2\/: the proxy answered with status 407$/,
    ),
  );
  await expect(refused).rejects.not.toThrow(/secret/);
  const authorization = `Basic ${Buffer.from('us@er:secret').toString('base64')}`;
  expect(tunnels).toEqual([`registry.example:443 ${authorization}`]);
});

test('a closed client leaves no connection', async () => {
  const server = await serve(answering(200, {}, 'x'));
  const client = open();
  await (await client.send({ url: server.origin })).discard();
  const connections = () =>
    new Promise<number>((resolve) => server.server.getConnections((_, count) => resolve(count)));
  expect(await connections()).toBe(1);
  await client.close();
  await eventually('the connection is closed', async () => (await connections()) === 0, 5);
});
