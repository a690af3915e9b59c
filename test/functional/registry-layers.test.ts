import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/polling.ts';
import { noise, noisyLayer, useRegistryBench } from '../support/registry-bench.ts';

// Layers on their way from a registry: several at once, each once, and gone on with after a kill.

const { rkt, publish, layersOf, serve, inStore, names, env, fetchFrom } = useRegistryBench();

describe('layers', () => {
  test('come several at once', async () => {
    const image = await publish(
      'team/many:1',
      [1, 2, 3, 4, 5].map((seed) => noisyLayer(`f${seed}`, seed)),
    );
    let [open, most] = [0, 0];
    let meet: () => void = () => undefined;
    const met = new Promise<void>((resolve) => {
      meet = resolve;
    });
    // The first of them wait until there are three: who fetches one after the other waits for ever.
    await using server = await serve(async function* ({ path }, body) {
      if (!layersOf(image).some((digest) => path.endsWith(digest))) return yield* body;
      open += 1;
      most = Math.max(most, open);
      if (open === 3) meet();
      await met;
      yield* body;
      open -= 1;
    });
    expect(await fetchFrom(server, 'team/many:1', [inStore('many')])).toMatchObject({ code: 0 });
    expect(most).toBe(3);
  });

  test('are fetched and kept once, whatever number of images has them', async () => {
    const common = [1, 2, 3].map((seed) => noisyLayer(`f${seed}`, seed));
    const images = [
      await publish('team/one:1', [...common, noisyLayer('one', 4)]),
      await publish('team/two:1', [...common, noisyLayer('two', 5)]),
      await publish('team/three:1', common),
    ];
    await using server = await serve();
    const asked = [];
    for (const name of ['one', 'two', 'three']) {
      const fetched = await fetchFrom(server, `team/${name}:1`, [inStore('shared')]);
      expect(fetched.code).toBe(0);
      asked.push(fetched.asked.filter((line) => line.includes('/blobs/')).length);
    }
    // Each a configuration, and the layers that are new.
    expect(asked).toEqual([5, 2, 1]);
    expect(names('shared', 'layer')).toHaveLength(5);
    const layers = new Set(images.flatMap(layersOf));
    expect(names('shared', 'blob/sha256')).toHaveLength(layers.size + 2 * images.length);
  });

  test('are in one image twice, and fetched once', async () => {
    const twice = noisyLayer('again', 1);
    await publish('team/twice:1', [twice, noisyLayer('other', 2), twice]);
    await using server = await serve();
    const { code, asked } = await fetchFrom(server, 'team/twice:1', [inStore('twice')]);
    expect({ code, blobs: asked.filter((line) => line.includes('/blobs/')).length }).toEqual({
      code: 0,
      blobs: 3,
    });
  });
});

describe('a fetch that is killed in the middle of a layer', () => {
  const SIZE = 3_000_000;
  const HALF = 1_000_000;

  test('is gone on with from there', async () => {
    const image = await publish('team/large:1', [noisyLayer('large', 7, SIZE)]);
    const [digest = ''] = layersOf(image);
    let isCut = true;
    await using server = await serve(async function* ({ path }, body) {
      let sent = 0;
      for await (const chunk of body) {
        yield chunk;
        sent += chunk.length;
        if (isCut && path.endsWith(digest) && sent >= HALF) await new Promise(() => undefined);
      }
    });
    const partial = join(rkt.path('large'), 'cas/partial', digest.replace(':', '-'));
    const command = ['fetch', '--full', inStore('large'), `docker://${server.address}/team/large:1`];
    const fetching = rkt.start(command, { env: env() });
    const arrived = await eventually('half of the layer is there', () => {
      const size = statSync(partial, { throwIfNoEntry: false })?.size ?? 0;
      return size >= HALF && size;
    });
    fetching.signal('SIGKILL');
    expect(await fetching.finished).toMatchObject({ code: 137, stdout: '' });
    expect(names('large', 'image')).toEqual([]);

    isCut = false;
    const { code, id, stderr } = await fetchFrom(server, 'team/large:1', [inStore('large')]);
    expect(code).toBe(0);
    const ranges = server.requests
      .filter(({ path }) => path.endsWith(digest))
      .map(({ headers }) => headers.range);
    expect(ranges).toEqual([undefined, expect.stringMatching(/^bytes=\d+-$/)]);
    const from = Number(/\d+/.exec(ranges[1] ?? '')?.[0]);
    expect(from).toBeGreaterThanOrEqual(arrived);
    expect(from).toBeLessThan(SIZE);
    expect(stderr).toMatch(new RegExp(`^image: downloading ${digest}, [\\d.]+MiB, from \\S+ on$`, 'm'));
    const tree = rkt.path('large-tree');
    await rkt.output([inStore('large'), 'image', 'render', '--rootfs-only', id, tree]);
    expect(readFileSync(join(tree, 'large')).equals(noise(7, SIZE))).toBe(true);
    expect([names('large', 'partial'), names('large', 'tmp')]).toEqual([[], []]);
  });

  test('is begun anew where what is left of it is wrong', async () => {
    const image = await publish('team/spoilt:1', [noisyLayer('spoilt', 8, SIZE)]);
    const [digest = ''] = layersOf(image);
    // As a power cut may leave it: the length is there, the content is not.
    mkdirSync(join(rkt.path('spoilt'), 'cas/partial'), { recursive: true });
    writeFileSync(join(rkt.path('spoilt'), 'cas/partial', digest.replace(':', '-')), Buffer.alloc(HALF));
    await using server = await serve();
    const { code, stderr } = await fetchFrom(server, 'team/spoilt:1', [inStore('spoilt')]);
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    expect(names('spoilt', 'partial')).toEqual([]);
  });

  test('is waited for by another that wants the same, which then need not fetch it', async () => {
    const image = await publish('team/slow:1', [noisyLayer('slow', 9, 100_000)]);
    const [digest = ''] = layersOf(image);
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    await using server = await serve(async function* ({ path }, body) {
      if (path.endsWith(digest)) await released;
      yield* body;
    });
    const command = ['fetch', '--full', inStore('slow'), `docker://${server.address}/team/slow:1`];
    const first = rkt.start(command, { env: env() });
    await eventually('the layer is asked for', () => server.asked.some((line) => line.endsWith(digest)));
    const second = rkt.start(command, { env: env() });
    await eventually('the second waits', () =>
      second.stderr.includes(`waiting for another process: layer ${digest}`),
    );
    release();
    const ends = await Promise.all([first.finished, second.finished]);
    expect(ends.map(({ code }) => code)).toEqual([0, 0]);
    expect(ends[0]?.stdout).toBe(ends[1]?.stdout);
    expect(server.asked.filter((line) => line.endsWith(digest))).toHaveLength(1);
  });
});
