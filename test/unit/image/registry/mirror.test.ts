import { expect, test } from 'vitest';
import {
  digestOf,
  inTurn,
  MANIFEST,
  MANIFEST_TYPE,
  manifestAnswer,
  RegistryBench,
} from '../../../support/scripted-registry.ts';
import { type Answer, answering } from '../../../support/scripted-server.ts';

const CONTENT = '0123456789';
const BLOB = { digest: digestOf(CONTENT), size: CONTENT.length };
const blobAnswer = answering(200, {}, CONTENT);

async function text(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

test('mirrors are asked in their order, and the registry not at all while one has what is wanted', async () => {
  await using bench = new RegistryBench();
  const [first, second, registry] = [
    await bench.serve(answering(404)),
    await bench.serve(manifestAnswer),
    await bench.serve(manifestAnswer),
  ];
  const source = bench.open(registry, { mirrors: [first.address, second.address] });
  expect((await source.root()).text).toBe(MANIFEST);
  expect((await source.root()).text).toBe(MANIFEST);
  expect([first, second, registry].map(({ requests }) => requests.length)).toEqual([2, 2, 0]);
  expect(bench.events).toEqual(
    Array(2).fill({
      kind: 'passed-over',
      what: `mirror ${first.address}`,
      reason: expect.stringMatching(/not found: bad HTTP status code: 404$/),
    }),
  );
});

test.each<[string, Answer]>([
  ['fails', answering(503)],
  ['limits its requests', answering(429, { 'retry-after': '1' })],
  ['wants a login', answering(401, { 'www-authenticate': 'Basic realm="x"' })],
  ['breaks off', (_, response) => response.socket?.destroy()],
  ['lies', answering(200, { 'docker-content-digest': digestOf('something else') }, MANIFEST)],
  ['is no registry', (_, response) => response.end(Buffer.alloc(5_000_000))],
])('a mirror that %s is passed over without a pause, and not asked again', async (_what, answer) => {
  await using bench = new RegistryBench();
  const [mirror, registry] = [await bench.serve(answer), await bench.serve(manifestAnswer)];
  const source = bench.open(registry, { mirrors: [mirror.address] });
  for (let n = 0; n < 2; n++) expect((await source.root()).text).toBe(MANIFEST);
  expect([mirror.requests.length, registry.requests.length, bench.clock.pauses]).toEqual([1, 2, []]);
  expect(bench.events).toMatchObject([{ kind: 'passed-over', what: `mirror ${mirror.address}` }]);
});

test('a mirror that is not there is passed over', async () => {
  await using bench = new RegistryBench();
  const [mirror, registry] = [await bench.serve(manifestAnswer), await bench.serve(manifestAnswer)];
  await mirror.close();
  expect((await bench.open(registry, { mirrors: [mirror.address] }).root()).text).toBe(MANIFEST);
});

test('what a mirror sends for a digest has to have it', async () => {
  await using bench = new RegistryBench();
  const mirror = await bench.serve(answering(200, { 'content-type': MANIFEST_TYPE }, '{"evil":true}'));
  const registry = await bench.serve(manifestAnswer);
  const source = bench.open(registry, { mirrors: [mirror.address] });
  const descriptor = {
    mediaType: MANIFEST_TYPE,
    digest: digestOf(MANIFEST),
    size: 1,
    urls: [],
    annotations: {},
  };
  expect(await source.document(descriptor)).toBe(MANIFEST);
});

test('a blob that breaks off at a mirror is opened again at the registry', async () => {
  await using bench = new RegistryBench();
  const mirror = await bench.serve((_, response) => {
    response.writeHead(200, { 'content-length': CONTENT.length }).write('01234');
    setTimeout(() => response.socket?.destroy(), 10);
  });
  const registry = await bench.serve(blobAnswer);
  const blob = bench.open(registry, { mirrors: [mirror.address] }).blob(BLOB);
  await expect(text((await blob.open(0)).bytes)).rejects.toMatchObject({ code: 'network' });
  expect(await text((await blob.open(0)).bytes)).toBe(CONTENT);
  expect([mirror.requests.length, registry.requests.length]).toEqual([1, 1]);
  expect(bench.events).toMatchObject([{ kind: 'passed-over', reason: expect.stringContaining('broke off') }]);
});

test('a blob of another size is not taken from a mirror', async () => {
  await using bench = new RegistryBench();
  const [mirror, registry] = [await bench.serve(answering(200, {}, 'x')), await bench.serve(blobAnswer)];
  const blob = bench.open(registry, { mirrors: [mirror.address] }).blob(BLOB);
  expect(await text((await blob.open(0)).bytes)).toBe(CONTENT);
});

test('the registry has the last word, and each host its own login', async () => {
  await using bench = new RegistryBench();
  const guarded = (realm: string) => answering(401, { 'www-authenticate': `Basic realm="${realm}"` });
  const [mirror, registry] = [await bench.serve(guarded('m')), await bench.serve(guarded('r'))];
  const asked: string[] = [];
  const credentials = (host: string) => {
    asked.push(host);
    return { user: host, password: 'secret' };
  };
  const source = bench.open(registry, { mirrors: [mirror.address], credentials });
  await expect(source.root()).rejects.toThrow(`in ${registry.address}: the login is not accepted`);
  expect(asked.sort()).toEqual([mirror.address, registry.address].sort());
  for (const server of [mirror, registry]) {
    const login = `Basic ${Buffer.from(`${server.address}:secret`).toString('base64')}`;
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([undefined, login]);
  }
});

test('an abort does not go on to the next place', async () => {
  await using bench = new RegistryBench();
  const [mirror, registry] = [await bench.serve(() => undefined), await bench.serve(inTurn(manifestAnswer))];
  const stop = new AbortController();
  const reason = new Error('enough');
  setTimeout(() => stop.abort(reason), 50);
  const source = bench.open(registry, { mirrors: [mirror.address], signal: stop.signal });
  await expect(source.root()).rejects.toBe(reason);
  expect([registry.requests, bench.events]).toEqual([[], []]);
});

test('a blob that ends too soon is opened again at the registry', async () => {
  await using bench = new RegistryBench();
  const mirror = await bench.serve((_, response) => {
    // Without a length.
    response.write('01234');
    response.end();
  });
  const registry = await bench.serve(blobAnswer);
  const blob = bench.open(registry, { mirrors: [mirror.address] }).blob(BLOB);
  await expect(text((await blob.open(0)).bytes)).rejects.toMatchObject({
    code: 'network',
    message: `blob ${BLOB.digest} broke off after 5 of 10 bytes`,
  });
  expect(await text((await blob.open(0)).bytes)).toBe(CONTENT);
});

test('mirrors whose answers were wrong are left, those that were not asked are not', async () => {
  await using bench = new RegistryBench();
  const [first, second, registry] = [
    await bench.serve(blobAnswer),
    await bench.serve(blobAnswer),
    await bench.serve(blobAnswer),
  ];
  const source = bench.open(registry, { mirrors: [first.address, second.address] });
  const wrong = new Error('wrong digest');
  expect(source.leaveMirrors(wrong)).toBe(false);
  for (const left of [first, second]) {
    await text((await source.blob(BLOB).open(0)).bytes);
    expect(source.leaveMirrors(wrong)).toBe(true);
    expect(bench.events.at(-1)).toEqual({
      kind: 'passed-over',
      what: `mirror ${left.address}`,
      reason: 'wrong digest',
    });
  }
  await text((await source.blob(BLOB).open(0)).bytes);
  expect(source.leaveMirrors(wrong)).toBe(false);
  expect([first, second, registry].map(({ requests }) => requests.length)).toEqual([1, 1, 1]);
});
