import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { noise, noisyLayer, useRegistryBench } from '../support/registry-bench.ts';
import { type Answer, answering, type ScriptedServer } from '../support/scripted-server.ts';

// What is asked of a registry, and what is not, by pull policy; and how patiently.

const { rkt, publish, manifestOf, layersOf, serve, serveBy, through, inStore, fetchFrom } =
  useRegistryBench();

describe('pull policies', () => {
  let server: ScriptedServer;
  beforeAll(async () => {
    server = await serve();
  });
  afterAll(() => server?.close());

  test('update asks whether the name leads elsewhere by now, and fetches nothing if not', async () => {
    await publish('team/same:1', [noisyLayer('a')]);
    const [store, name] = [inStore('update'), 'team/same:1'];
    const first = await fetchFrom(server, name, [store]);
    expect(first).toMatchObject({ code: 0 });
    expect(first.asked).toContain('GET same/manifests/1');
    for (const flags of [[store], [store, '--pull-policy=update'], [store, '--no-store']]) {
      const again = await fetchFrom(server, name, flags);
      expect(again).toMatchObject({ code: 0, id: first.id, asked: ['HEAD same/manifests/1'] });
    }
  });

  test('update fetches of a tag that was moved what the store has not', async () => {
    const store = inStore('moved');
    const common = [noisyLayer('base', 1), noisyLayer('middle', 2)];
    const old = await publish('team/moved:1', [...common, noisyLayer('app', 3)]);
    const { id } = await fetchFrom(server, 'team/moved:1', [store]);
    const fresh = await publish('team/moved:1', [...common, noisyLayer('app', 4)]);
    const { asked, ...moved } = await fetchFrom(server, 'team/moved:1', [store]);
    expect(moved).toMatchObject({ code: 0 });
    expect(moved.id).not.toBe(id);
    const [added = ''] = layersOf(fresh).filter((digest) => !layersOf(old).includes(digest));
    expect(asked).toEqual([
      'HEAD moved/manifests/1',
      'GET moved/manifests/1',
      `GET moved/blobs/${manifestOf(fresh).config.digest}`,
      `GET moved/blobs/${added}`,
    ]);
    const rendered = rkt.path('moved-tree');
    await rkt.output([store, 'image', 'render', '--rootfs-only', moved.id, rendered]);
    expect(readFileSync(join(rendered, 'app'))).toEqual(noise(4, 1000));
  });

  test('new asks for what the store lacks only', async () => {
    await publish('team/new:1', [noisyLayer('a')]);
    const [store, policy] = [inStore('new'), '--pull-policy=new'];
    const first = await fetchFrom(server, 'team/new:1', [store, policy]);
    expect(first.asked).not.toEqual([]);
    await publish('team/new:1', [noisyLayer('b')]);
    expect(await fetchFrom(server, 'team/new:1', [store, policy])).toMatchObject({ id: first.id, asked: [] });
    await rkt.output([store, 'image', 'rm', first.id]);
    const other = await fetchFrom(server, 'team/new:1', [store, policy]);
    expect(other).toMatchObject({ code: 0, asked: expect.arrayContaining(['GET new/manifests/1']) });
    expect(other.id).not.toBe(first.id);
  });

  test.each(['--pull-policy=never', '--store-only'])('never asks nobody, here as %s', async (policy) => {
    await publish('team/never:1', [noisyLayer('a')]);
    const store = inStore(`never${policy}`);
    const absent = await fetchFrom(server, 'team/never:1', [store, policy]);
    expect(absent).toMatchObject({
      code: 254,
      id: '',
      stderr: expect.stringMatching(
        /fetch: .*no image of docker:\S+ in the store, and the pull policy is never\n$/,
      ),
      asked: [],
    });
    const { id } = await fetchFrom(server, 'team/never:1', [store]);
    expect(await fetchFrom(server, 'team/never:1', [store, policy])).toMatchObject({
      code: 0,
      id,
      asked: [],
    });
  });
});

describe('a registry that', () => {
  /** It fails so often before it answers. */
  const failing = (times: number, failure: Answer): Answer => {
    let failed = 0;
    return (request, response) => (failed++ < times ? failure : through)(request, response);
  };
  const busy = answering(429, { 'retry-after': '1' }, '{"errors":[{"code":"TOOMANYREQUESTS"}]}');

  test.each([
    ['limits its requests', busy, /too many requests: .*429 \(TOOMANYREQUESTS\), to be asked again in 1 s/],
    ['fails', answering(503), /the server failed: bad HTTP status code: 503/],
    ['breaks off', (_: unknown, response: Parameters<Answer>[1]) => response.socket?.destroy(), /broke off/],
  ])('%s for a while is asked again', async (what, failure, words) => {
    const name = what.replaceAll(' ', '-');
    await publish(`team/${name}:1`, [noisyLayer('a')]);
    await using server = await serveBy(failing(2, failure));
    const { code, stderr } = await fetchFrom(server, `team/${name}:1`, [inStore(name)]);
    expect(code).toBe(0);
    const retries = stderr.split('\n').filter((line) => /, trying again in \S+$/.test(line));
    expect(retries).toHaveLength(2);
    for (const line of retries) expect(line).toMatch(words);
  });

  test('forbids an image is asked once', async () => {
    await using server = await serveBy(
      answering(403, {}, '{"errors":[{"code":"DENIED","message":"not yours"}]}'),
    );
    expect(await fetchFrom(server, 'team/forbidden:1', [inStore('forbidden')])).toMatchObject({
      code: 254,
      stderr: expect.stringMatching(
        /^fetch: .*: access denied: bad HTTP status code: 403 \(DENIED: not yours\)\n$/,
      ),
      asked: ['GET forbidden/manifests/1'],
    });
  });
});
