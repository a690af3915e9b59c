import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { openRegistry } from '../../../../src/image/registry/registry.ts';
import { parseDigest } from '../../../../src/oci/index.ts';
import {
  digestOf,
  inTurn,
  MANIFEST,
  MANIFEST_TYPE,
  manifestAnswer,
  REPOSITORY,
  RegistryBench,
} from '../../../support/scripted-registry.ts';
import { type Answer, answering } from '../../../support/scripted-server.ts';

const DIGEST = digestOf(MANIFEST);
const OTHER = digestOf('something else');
const refusal = (code: string, message: RegExp) =>
  expect.objectContaining({ name: 'ImageError', code, message: expect.stringMatching(message) });
const descriptor = (digest: ReturnType<typeof digestOf>) => ({
  mediaType: MANIFEST_TYPE,
  digest,
  size: 7,
  urls: [],
  annotations: {},
});

test('a manifest comes with what it is called and the digest of its bytes', async () => {
  await using bench = new RegistryBench();
  const registry = await bench.serve(manifestAnswer);
  expect(await bench.open(registry).root()).toEqual({
    text: MANIFEST,
    mediaType: MANIFEST_TYPE,
    digest: DIGEST,
  });
  expect(registry.asked).toEqual([`GET /v2/${REPOSITORY}/manifests/1`]);
  expect(registry.requests[0]?.headers.accept?.split(', ').sort()).toEqual([
    'application/vnd.docker.distribution.manifest.list.v2+json',
    'application/vnd.docker.distribution.manifest.v2+json',
    'application/vnd.oci.image.index.v1+json',
    'application/vnd.oci.image.manifest.v1+json',
  ]);
});

test('by its digest it is asked for by that and nothing else', async () => {
  await using bench = new RegistryBench();
  const registry = await bench.serve(manifestAnswer);
  const options = { client: bench.client, credentials: () => undefined, insecureHttp: true };
  const reference = { registry: registry.address, repository: REPOSITORY, tag: '1', digest: DIGEST };
  expect(await openRegistry(reference, options).root()).toMatchObject({ text: MANIFEST, digest: DIGEST });
  expect(await bench.open(registry).document(descriptor(DIGEST))).toBe(MANIFEST);
  expect(new Set(registry.asked)).toEqual(new Set([`GET /v2/${REPOSITORY}/manifests/${DIGEST}`]));
});

test.each([
  ['application/json', undefined],
  ['text/plain; charset=utf-8', undefined],
  [`${MANIFEST_TYPE}; charset=utf-8`, MANIFEST_TYPE],
  [
    'Application/VND.docker.distribution.manifest.v2+json',
    'application/vnd.docker.distribution.manifest.v2+json',
  ],
  ['text/html', 'text/html'],
])('what it is called: %s', async (type, mediaType) => {
  await using bench = new RegistryBench();
  const registry = await bench.serve(answering(200, { 'content-type': type }, MANIFEST));
  expect((await bench.open(registry).root()).mediaType).toBe(mediaType);
});

test('a digest that is not that of the bytes is refused, whoever named it', async () => {
  await using bench = new RegistryBench();
  const lying = await bench.serve(answering(200, { 'docker-content-digest': OTHER }, MANIFEST));
  const message = new RegExp(`^manifest \\S+ should have the digest ${OTHER} and has ${DIGEST}$`);
  await expect(bench.open(lying).root()).rejects.toEqual(refusal('digest-mismatch', message));
  await expect(bench.open(lying).document(descriptor(DIGEST))).rejects.toMatchObject({
    code: 'digest-mismatch',
  });
  const other = await bench.serve(manifestAnswer);
  await expect(bench.open(other).document(descriptor(OTHER))).rejects.toEqual(
    refusal('digest-mismatch', message),
  );
});

test('a digest of another kind is checked as well, and one that nobody knows says nothing', async () => {
  await using bench = new RegistryBench();
  const sha512 = parseDigest(`sha512:${createHash('sha512').update(MANIFEST).digest('hex')}`);
  const answer = (digest: string) => answering(200, { 'docker-content-digest': digest }, MANIFEST);
  const root = async (digest: string) => bench.open(await bench.serve(answer(digest))).root();
  expect(await root(sha512)).toMatchObject({ digest: sha512 });
  expect(await root('blake3:00')).toMatchObject({ digest: DIGEST });
  await expect(root(sha512.replace(/.$/, (end) => (end === '0' ? '1' : '0')))).rejects.toMatchObject({
    code: 'digest-mismatch',
  });
});

test.each(['prettyjws', 'json'])(
  'the format that Docker gave up is refused in words (%s)',
  async (suffix) => {
    await using bench = new RegistryBench();
    const type = `application/vnd.docker.distribution.manifest.v1+${suffix}`;
    const headers = { 'content-type': type, 'docker-content-digest': OTHER };
    const registry = await bench.serve(answering(200, headers, '{"schemaVersion":1}'));
    await expect(bench.open(registry).root()).rejects.toEqual(
      refusal('unsupported', /^manifest 1 is in the format that Docker gave up in 2017 \(schema 1\)$/),
    );
  },
);

test('one that is too long or no text is not read', async () => {
  await using bench = new RegistryBench();
  const long = await bench.serve((_, response) => response.end(Buffer.alloc(5 * 1024 * 1024, ' ')));
  await expect(bench.open(long).root()).rejects.toEqual(
    refusal('too-large', /^manifest 1 is longer than 4194304 bytes$/),
  );
  const binary = await bench.serve((_, response) => response.end(Buffer.from([0x7b, 0xff])));
  await expect(bench.open(binary).root()).rejects.toEqual(refusal('bad-answer', /^manifest 1 is not UTF-8$/));
});

test.each([
  [401, 'unauthorized'],
  [403, 'forbidden'],
  [404, 'not-found'],
  [400, 'bad-answer'],
])('status %d: %s, with repository, tag and registry, at once', async (status, code) => {
  await using bench = new RegistryBench();
  const registry = await bench.serve(
    answering(status, {}, '{"errors":[{"code":"WHY","message":"because"}]}'),
  );
  const message = new RegExp(
    `^manifest 1 of ${REPOSITORY} in ${registry.address}: .*: bad HTTP status code: ${status} \\(WHY: because\\)$`,
  );
  await expect(bench.open(registry).root()).rejects.toEqual(refusal(code, message));
  expect([registry.requests.length, bench.clock.pauses]).toEqual([1, []]);
});

test('a server that fails, limits its requests or breaks off is asked again', async () => {
  await using bench = new RegistryBench();
  const broken: Answer = (_, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('{');
    setTimeout(() => response.socket?.destroy(), 10);
  };
  const registry = await bench.serve(
    inTurn(answering(502), answering(429, { 'retry-after': '60' }), broken, manifestAnswer),
  );
  expect((await bench.open(registry).root()).text).toBe(MANIFEST);
  expect(bench.clock.pauses).toEqual([500, 60_000, 2000]);
  expect(bench.events).toMatchObject([
    { kind: 'retry', what: 'manifest 1', reason: expect.stringContaining('502'), milliseconds: 500 },
    { kind: 'retry', reason: expect.stringContaining('too many requests'), milliseconds: 60_000 },
    { kind: 'retry', reason: expect.stringContaining('broke off'), milliseconds: 2000 },
  ]);
});

test('one that always fails is left after five tries', async () => {
  await using bench = new RegistryBench();
  const registry = await bench.serve(answering(503));
  await expect(bench.open(registry).root()).rejects.toEqual(
    refusal('server', /the server failed: bad HTTP status code: 503$/),
  );
  expect(registry.requests).toHaveLength(5);
});

test('what a tag stands for is told without its text, if the server does so', async () => {
  await using bench = new RegistryBench();
  const headers = { 'content-type': MANIFEST_TYPE, 'docker-content-digest': DIGEST };
  const registry = await bench.serve(answering(200, headers));
  expect(await bench.open(registry).head()).toEqual({ digest: DIGEST, mediaType: MANIFEST_TYPE });
  expect(registry.asked).toEqual([`HEAD /v2/${REPOSITORY}/manifests/1`]);
  for (const answer of [answering(200, {}), answering(405, headers)])
    expect(await bench.open(await bench.serve(answer)).head()).toBeUndefined();
  await expect(bench.open(await bench.serve(answering(404))).head()).rejects.toEqual(
    refusal('not-found', /404$/),
  );
});

test('another tag of the repository, which need not be there', async () => {
  await using bench = new RegistryBench();
  const registry = await bench.serve(inTurn(manifestAnswer, answering(404), answering(403)));
  const source = bench.open(registry);
  const ask = () => source.manifestOf('sha256-0123.sig');
  expect(await ask()).toMatchObject({ text: MANIFEST, digest: DIGEST });
  expect(await ask()).toBeUndefined();
  await expect(ask()).rejects.toMatchObject({ code: 'forbidden' });
  expect(registry.asked[0]).toBe(`GET /v2/${REPOSITORY}/manifests/sha256-0123.sig`);
});

test('an abort ends whatever is asked, by the signal of the pull or of one question', async () => {
  await using bench = new RegistryBench();
  const registry = await bench.serve(() => undefined);
  const reason = new Error('enough');
  for (const source of ['pull', 'question']) {
    const stop = new AbortController();
    setTimeout(() => stop.abort(reason), 50);
    const opened = bench.open(registry, source === 'pull' ? { signal: stop.signal } : {});
    await expect(opened.root(source === 'question' ? stop.signal : undefined)).rejects.toBe(reason);
  }
});
