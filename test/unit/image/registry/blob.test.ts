import { expect, test } from 'vitest';
import type { Blob as RegistryBlob } from '../../../../src/image/registry/blob.ts';
import type { OpenedBytes } from '../../../../src/image/source.ts';
import { digestOf, inTurn, REPOSITORY, RegistryBench } from '../../../support/scripted-registry.ts';
import { type Answer, answering } from '../../../support/scripted-server.ts';

const CONTENT = Buffer.from('0123456789');
const BLOB: RegistryBlob = { digest: digestOf(CONTENT), size: CONTENT.length };

async function read({ bytes, ...opened }: OpenedBytes) {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return { ...opened, text: Buffer.concat(chunks).toString() };
}

/** As object stores answer. */
const ranged: Answer = ({ headers }, response) => {
  const start = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
  const rest = CONTENT.subarray(start);
  const range = `bytes ${start}-${CONTENT.length - 1}/${CONTENT.length}`;
  if (headers.range === undefined) response.writeHead(200, { 'content-length': CONTENT.length });
  else response.writeHead(206, { 'content-length': rest.length, 'content-range': range });
  response.end(rest);
};

const refusal = (code: string, message: RegExp) =>
  expect.objectContaining({ name: 'ImageError', code, message: expect.stringMatching(message) });

test('a blob comes from its beginning or from an offset on', async () => {
  await using bench = new RegistryBench();
  const registry = await bench.serve(ranged);
  const blob = bench.open(registry).blob(BLOB);
  expect(await read(await blob.open(0))).toEqual({ offset: 0, total: 10, text: '0123456789' });
  expect(await read(await blob.open(7))).toEqual({ offset: 7, total: 10, text: '789' });
  expect(registry.asked).toEqual(Array(2).fill(`GET /v2/${REPOSITORY}/blobs/${BLOB.digest}`));
  expect(registry.requests.map(({ headers }) => headers.range)).toEqual([undefined, 'bytes=7-']);
  expect(registry.requests[0]?.headers['accept-encoding']).toBe('identity');
});

test('of a blob that is there nothing is asked', async () => {
  await using bench = new RegistryBench();
  const registry = await bench.serve(ranged);
  expect(await read(await bench.open(registry).blob(BLOB).open(10))).toEqual({
    offset: 10,
    total: 10,
    text: '',
  });
  expect(registry.requests).toEqual([]);
});

test('a server without ranges begins at the beginning, and says so', async () => {
  await using bench = new RegistryBench();
  const chunked: Answer = (_, response) => {
    response.write('01234');
    response.end('56789');
  };
  const whole = async (answer: Answer) =>
    read(
      await bench
        .open(await bench.serve(answer))
        .blob(BLOB)
        .open(7),
    );
  const text = CONTENT.toString();
  expect(await whole(answering(200, {}, text))).toEqual({ offset: 0, total: 10, text });
  expect(await whole(chunked)).toEqual({ offset: 0, total: undefined, text });
});

test.each<[string, Record<string, string>, string, RegExp]>([
  [
    'another part',
    { 'content-range': 'bytes 3-9/10' },
    'bad-answer',
    /was asked for from 7 on and comes from 3$/,
  ],
  ['some part', {}, 'bad-answer', /comes in a part that does not say which$/],
  ['a part of rubbish', { 'content-range': 'bytes */10' }, 'bad-answer', /does not say which$/],
  [
    'a part of something larger',
    { 'content-range': 'bytes 7-9/11' },
    'digest-mismatch',
    /has 11 bytes, not 10$/,
  ],
])('%s is not what was asked for', async (_what, headers, code, message) => {
  await using bench = new RegistryBench();
  const blob = bench.open(await bench.serve(answering(206, headers, '789'))).blob(BLOB);
  await expect(blob.open(7)).rejects.toEqual(refusal(code, message));
});

test('a part need not say of how much', async () => {
  await using bench = new RegistryBench();
  const headers = { 'content-range': 'bytes 7-9/*' };
  const blob = bench.open(await bench.serve(answering(206, headers, '789'))).blob(BLOB);
  expect(await read(await blob.open(7))).toEqual({ offset: 7, total: undefined, text: '789' });
});

test('a blob that has another size is refused before it comes', async () => {
  await using bench = new RegistryBench();
  const blob = bench.open(await bench.serve(answering(200, {}, 'x'))).blob(BLOB);
  await expect(blob.open(0)).rejects.toEqual(
    refusal('digest-mismatch', /^blob sha256:\w+ has 1 bytes, not 10$/),
  );
});

test.each([
  [404, 'not-found', /^blob sha256:\w+ of team\/app in \S+: not found: bad HTTP status code: 404$/],
  [416, 'bad-answer', /bad HTTP status code: 416$/],
  [403, 'forbidden', /bad HTTP status code: 403$/],
])('status %d', async (status, code, message) => {
  await using bench = new RegistryBench();
  const blob = bench.open(await bench.serve(answering(status))).blob(BLOB);
  await expect(blob.open(3)).rejects.toEqual(refusal(code, message));
});

test('a server that fails is asked again; a connection that breaks is for whoever knows what has come', async () => {
  await using bench = new RegistryBench();
  const registry = await bench.serve(
    inTurn(answering(500), answering(429), ranged, (_, response) => response.socket?.destroy(), ranged),
  );
  const blob = bench.open(registry).blob(BLOB);
  expect(await read(await blob.open(4))).toMatchObject({ text: '456789' });
  expect(bench.clock.pauses).toEqual([500, 1000]);
  await expect(blob.open(4)).rejects.toMatchObject({ code: 'network' });
  expect(bench.clock.pauses).toHaveLength(2);
  expect(registry.requests).toHaveLength(4);
});

test('an object store gets the range, and not the login', async () => {
  await using bench = new RegistryBench();
  const store = await bench.serve(ranged);
  const login = `Basic ${Buffer.from('alice:secret').toString('base64')}`;
  const registry = await bench.serve(({ headers }, response) => {
    if (headers.authorization !== login)
      response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
    else response.writeHead(307, { location: `${store.origin}/object?signature=x` }).end();
  });
  const source = bench.open(registry, { credentials: () => ({ user: 'alice', password: 'secret' }) });
  expect(await read(await source.blob(BLOB).open(5))).toMatchObject({ offset: 5, text: '56789' });
  expect(store.requests).toMatchObject([{ path: '/object?signature=x', headers: { range: 'bytes=5-' } }]);
  expect(store.requests[0]?.headers.authorization).toBeUndefined();
});
