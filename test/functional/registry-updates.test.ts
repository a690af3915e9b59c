import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Certificate, TestAuthority } from '../support/certificates.ts';
import { LayoutWriter, type Written } from '../support/layout-writer.ts';
import { passedOn, type Transfer } from '../support/passed-on.ts';
import { eventually } from '../support/polling.ts';
import { randomFrom } from '../support/random.ts';
import { TestRegistry } from '../support/registry.ts';
import { upload } from '../support/registry-upload.ts';
import { useRkt } from '../support/rkt.ts';
import { type Answer, ScriptedServer } from '../support/scripted-server.ts';
import * as tar from '../support/tar-archive.ts';

// What is asked of a registry, and what is not: by pull policy, after a kill, for layers that are there.

const rkt = useRkt();
let certificate: Certificate;
let caPath = '';
let registry: TestRegistry;
let layout: LayoutWriter;
beforeAll(async () => {
  mkdirSync(rkt.path('authority'));
  const authority = await TestAuthority.create(rkt.path('authority'));
  certificate = await authority.issue('registry');
  caPath = authority.caPath;
  registry = await TestRegistry.start();
  layout = new LayoutWriter(rkt.path('layout'));
});
afterAll(() => registry?.close());

/** What cannot be compressed, different for each seed. */
function noise(seed: number, length: number): Buffer {
  const random = randomFrom(seed);
  return Buffer.from(Array.from({ length }, () => random() * 256));
}
const layer = (name: string, seed = 1, length = 1000) => tar.archive(tar.file(name, noise(seed, length)));

/** Puts an image of these layers behind a tag; gives its manifest. */
async function publish(name: string, layers: readonly Buffer[]): Promise<Written> {
  const image = layout.image({ layers });
  await upload(registry, layout, image, name);
  return image;
}
const layersOf = (image: Written) => parseManifest(layout.read(image)).layers.map(({ digest }) => digest);

/** The registry behind TLS; what stands there sees every request. */
const serve = (transfer?: Transfer) =>
  ScriptedServer.start(passedOn(registry.address, transfer), certificate);
const env = () => ({ SSL_CERT_FILE: caPath });
const inStore = (store: string) => `--dir=${rkt.path(store)}`;
const names = (store: string, directory: string) => readdirSync(join(rkt.path(store), 'cas', directory));

async function fetchFrom(server: ScriptedServer, name: string, flags: readonly string[]) {
  const before = server.asked.length;
  const { code, stdout, stderr } = await rkt.run(
    ['fetch', '--full', ...flags, `docker://${server.address}/${name}`],
    {
      env: env(),
    },
  );
  const asked = server.asked.slice(before).map((line) => line.replace('/v2/team/', ''));
  return { code, id: stdout.trimEnd(), stderr, asked };
}

describe('pull policies', () => {
  let server: ScriptedServer;
  beforeAll(async () => {
    server = await serve();
  });
  afterAll(() => server?.close());

  test('update asks whether the name leads elsewhere by now, and fetches nothing if not', async () => {
    await publish('team/same:1', [layer('a')]);
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
    const common = [layer('base', 1), layer('middle', 2)];
    const old = await publish('team/moved:1', [...common, layer('app', 3)]);
    const { id } = await fetchFrom(server, 'team/moved:1', [store]);
    const fresh = await publish('team/moved:1', [...common, layer('app', 4)]);
    const { asked, ...moved } = await fetchFrom(server, 'team/moved:1', [store]);
    expect(moved).toMatchObject({ code: 0 });
    expect(moved.id).not.toBe(id);
    const [added = ''] = layersOf(fresh).filter((digest) => !layersOf(old).includes(digest));
    expect(asked).toEqual([
      'HEAD moved/manifests/1',
      'GET moved/manifests/1',
      `GET moved/blobs/${parseManifest(layout.read(fresh)).config.digest}`,
      `GET moved/blobs/${added}`,
    ]);
    const rendered = rkt.path('moved-tree');
    await rkt.output([store, 'image', 'render', '--rootfs-only', moved.id, rendered]);
    expect(readFileSync(join(rendered, 'app'))).toEqual(noise(4, 1000));
  });

  test('new asks for what the store lacks only', async () => {
    await publish('team/new:1', [layer('a')]);
    const [store, policy] = [inStore('new'), '--pull-policy=new'];
    const first = await fetchFrom(server, 'team/new:1', [store, policy]);
    expect(first.asked).not.toEqual([]);
    await publish('team/new:1', [layer('b')]);
    expect(await fetchFrom(server, 'team/new:1', [store, policy])).toMatchObject({ id: first.id, asked: [] });
    await rkt.output([store, 'image', 'rm', first.id]);
    const other = await fetchFrom(server, 'team/new:1', [store, policy]);
    expect(other).toMatchObject({ code: 0, asked: expect.arrayContaining(['GET new/manifests/1']) });
    expect(other.id).not.toBe(first.id);
  });

  test.each(['--pull-policy=never', '--store-only'])('never asks nobody, here as %s', async (policy) => {
    await publish('team/never:1', [layer('a')]);
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

describe('layers', () => {
  test('come several at once', async () => {
    const image = await publish(
      'team/many:1',
      [1, 2, 3, 4, 5].map((seed) => layer(`f${seed}`, seed)),
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
    const common = [1, 2, 3].map((seed) => layer(`f${seed}`, seed));
    const images = [
      await publish('team/one:1', [...common, layer('one', 4)]),
      await publish('team/two:1', [...common, layer('two', 5)]),
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
    const twice = layer('again', 1);
    await publish('team/twice:1', [twice, layer('other', 2), twice]);
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
    const image = await publish('team/large:1', [layer('large', 7, SIZE)]);
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
    const image = await publish('team/spoilt:1', [layer('spoilt', 8, SIZE)]);
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
    const image = await publish('team/slow:1', [layer('slow', 9, 100_000)]);
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

test('a registry that limits its requests is asked again when it says', async () => {
  await publish('team/limited:1', [layer('a')]);
  const through = passedOn(registry.address);
  let refused = 0;
  const limited: Answer = (request, response) => {
    if (refused++ > 1) return through(request, response);
    response.writeHead(429, { 'retry-after': '1' }).end('{"errors":[{"code":"TOOMANYREQUESTS"}]}');
  };
  await using server = await ScriptedServer.start(limited, certificate);
  const { code, stderr } = await fetchFrom(server, 'team/limited:1', [inStore('limited')]);
  expect(code).toBe(0);
  expect(
    stderr.match(
      /^image: manifest 1: .*too many requests: .*429 \(TOOMANYREQUESTS\).*, trying again in \S+$/gm,
    ),
  ).toHaveLength(2);
});

interface Manifest {
  readonly config: { readonly digest: string };
  readonly layers: readonly { readonly digest: string }[];
}

function parseManifest(text: Buffer): Manifest {
  const manifest: unknown = JSON.parse(text.toString());
  return manifest as Manifest;
}
