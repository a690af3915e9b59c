import { lutimesSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Certificate, TestAuthority } from '../support/certificates.ts';
import { aciOf } from '../support/image-files.ts';
import { tinyImages } from '../support/images.ts';
import { LayoutWriter } from '../support/layout-writer.ts';
import { passedOn, type Transfer } from '../support/passed-on.ts';
import { eventually } from '../support/polling.ts';
import { TestRegistry } from '../support/registry.ts';
import { upload } from '../support/registry-upload.ts';
import { useRkt } from '../support/rkt.ts';
import { ScriptedServer } from '../support/scripted-server.ts';
import { storeFiles } from '../support/store-files.ts';
import * as tar from '../support/tar-archive.ts';

// What goes when an image is removed or collected, what stays as long as another image or a pod has it, and that nothing is left.

const rkt = useRkt();
const MAIN = 'data';
const dirOf = (store: string) => rkt.path(store);
const cas = (store: string, ...names: string[]) => join(dirOf(store), 'cas', ...names);
const count = (store: string, directory: string) => readdirSync(cas(store, directory)).length;
const image = (store: string, ...args: string[]) => rkt.run([`--dir=${dirOf(store)}`, 'image', ...args]);
const fetchInto = async (store: string, reference: string) =>
  (await rkt.output([`--dir=${dirOf(store)}`, 'fetch', '--full', reference])).trimEnd();

const layer = (name: string) => tar.archive(tar.file(name, name.repeat(100)));

/** A layout with images made of these layers, each with its own name for a tag. */
function layoutOf(
  directory: string,
  images: Readonly<Record<string, readonly string[]>>,
): Record<string, string> {
  const layout = new LayoutWriter(rkt.path(directory));
  const references = Object.entries(images).map(([name, layers]) => {
    const config = { Labels: { name } };
    return [name, layout.tag(layout.image({ layers: layers.map(layer), config }), name)] as const;
  });
  return Object.fromEntries(references);
}

/** Makes an image look as if it had been used so long ago. */
function used(store: string, id: string, hoursAgo: number): void {
  const time = Date.now() / 1000 - hoursAgo * 3600;
  lutimesSync(cas(store, 'image', `${id}.json`), time, time);
}

describe('what several images have', () => {
  test('goes with the last of them', async () => {
    const { one = '', two = '' } = layoutOf('shared', { one: ['base', 'first'], two: ['base', 'second'] });
    const ids = [await fetchInto('shares', one), await fetchInto('shares', two)];
    // Of each image a manifest, a configuration and a layer; and the layer that both have.
    expect([count('shares', 'layer'), count('shares', 'blob/sha256')]).toEqual([3, 7]);
    expect(await image('shares', 'rm', ids[0] ?? '')).toMatchObject({ code: 0 });
    expect([count('shares', 'layer'), count('shares', 'blob/sha256')]).toEqual([2, 4]);
    expect(await image('shares', 'verify', ids[1] ?? '')).toMatchObject({ code: 0, stderr: '' });
    expect(await image('shares', 'rm', ids[1] ?? '')).toMatchObject({ code: 0 });
    expect(storeFiles(dirOf('shares'), ['locks'])).toEqual([]);
  });

  test('are the archives of a dependency, which stay with what depends on it', async () => {
    writeFileSync(rkt.path('base.aci'), aciOf({ name: 'example.com/base' }, tar.file('rootfs/base', 'base')));
    const dependencies = [{ imageName: 'example.com/base' }];
    const top = aciOf({ name: 'example.com/top', dependencies }, tar.file('rootfs/top', 'top'));
    writeFileSync(rkt.path('top.aci'), top);
    await fetchInto('depends', rkt.path('base.aci'));
    const id = await fetchInto('depends', rkt.path('top.aci'));
    expect(await image('depends', 'rm', 'example.com/base')).toMatchObject({ code: 0 });
    expect([count('depends', 'layer'), count('depends', 'blob/sha512')]).toEqual([2, 2]);
    const tree = rkt.path('depends-tree');
    expect(await image('depends', 'render', '--rootfs-only', id, tree)).toMatchObject({ code: 0 });
    expect(readdirSync(tree).sort()).toEqual(['base', 'top']);
    expect(await image('depends', 'rm', id)).toMatchObject({ code: 0 });
    expect([count('depends', 'layer'), count('depends', 'blob/sha512')]).toEqual([0, 0]);
  });
});

test('an image is removed by any of its names, and each only once', async () => {
  const references = layoutOf('names', { a: ['a'], b: ['b'], c: ['c'] });
  const ids = await Promise.all(['a', 'b', 'c'].map((name) => fetchInto('names', references[name] ?? '')));
  const [first = '', second = '', third = ''] = ids;
  const words = [first.slice(0, 20), 'names:b', third, third, 'names:none'];
  const { code, stdout, stderr } = await image('names', 'rm', ...words);
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: [first, second, third].map((id) => `successfully removed aci for image: "${id}"\n`).join(''),
  });
  expect(stderr.trimEnd().split('\n')).toEqual([
    `rm: ${third}: no image IDs found for "${third}"`,
    expect.stringMatching(/^rm: names:none: cannot find aci satisfying name/),
    'rm: 3 image(s) successfully removed',
    'rm: 2 image(s) cannot be removed',
  ]);
  expect(storeFiles(dirOf('names'), ['locks'])).toEqual([]);
});

describe('the grace period', () => {
  let ids: readonly string[] = [];
  beforeAll(async () => {
    const { old = '', young = '' } = layoutOf('grace', { old: ['base', 'old'], young: ['base', 'young'] });
    ids = [await fetchInto('grace', old), await fetchInto('grace', young)];
  });

  test('begins with the last use, and is a day unless told otherwise', async () => {
    const [old = '', young = ''] = ids;
    used('grace', old, 23);
    used('grace', young, 23);
    expect(await image('grace', 'gc')).toMatchObject({ code: 0, stdout: '', stderr: '' });
    used('grace', old, 25);
    const { code, stdout, stderr } = await image('grace', 'gc');
    expect({ code, stdout }).toEqual({ code: 0, stdout: `successfully removed aci for image: "${old}"\n` });
    expect(stderr).toMatch(/^gc: removed 1 layer\(s\), \S+B\ngc: 1 image\(s\) successfully removed\n$/);
    expect([count('grace', 'layer'), count('grace', 'blob/sha256')]).toEqual([2, 4]);
  });

  test('begins anew when an image is used', async () => {
    const [, young = ''] = ids;
    used('grace', young, 25);
    await fetchInto('grace', young);
    expect(await image('grace', 'gc', '--grace-period=1h')).toMatchObject({ code: 0, stdout: '' });
    used('grace', young, 2);
    expect(await image('grace', 'gc', '--grace-period=1h')).toMatchObject({
      code: 0,
      stdout: `successfully removed aci for image: "${young}"\n`,
    });
    expect(storeFiles(dirOf('grace'), [])).toEqual([]);
  });

  test('holds for downloads that nobody has gone on with', async () => {
    const partial = cas('grace', 'partial', `sha256-${'ab'.repeat(32)}`);
    writeFileSync(partial, 'begun');
    await image('grace', 'gc');
    expect(readFileSync(partial, 'utf8')).toBe('begun');
    const time = Date.now() / 1000 - 25 * 3600;
    lutimesSync(partial, time, time);
    await image('grace', 'gc');
    expect(storeFiles(dirOf('grace'), [])).toEqual([]);
  });
});

describe('a pod', () => {
  let id = '';
  const ownLayer = () => {
    const record: { layers: readonly string[] } = JSON.parse(
      readFileSync(cas(MAIN, 'image', `${id}.json`), 'utf8'),
    );
    return record.layers.map((digest) => digest.slice('sha256:'.length, 'sha256:'.length + 24));
  };
  beforeAll(async () => {
    const { ociLayout } = await tinyImages();
    id = await fetchInto(MAIN, `oci:${ociLayout}:latest`);
  });

  test('that runs goes on without its image, and keeps its layers', async () => {
    const layers = ownLayer();
    const running = rkt.start(
      ['run', '--net=none', id, '--exec=/bin/sh', '--', '-c', 'read line; /bin/cat /etc/passwd'],
      {
        input: 'open',
        timeoutSeconds: 240,
      },
    );
    await eventually('the pod runs', async () => (await rkt.list()).some(({ state }) => state === 'running'));
    const collected = await image(MAIN, 'gc', '--grace-period=0s');
    expect(collected).toMatchObject({ code: 0, stdout: '' });
    expect(collected.stderr).toContain(`gc: image "${id}" not removed: a pod was made from it\n`);
    expect(await image(MAIN, 'rm', id)).toMatchObject({ code: 0 });
    expect(readdirSync(cas(MAIN, 'layer'))).toEqual(expect.arrayContaining(layers));
    running.stdin.end('go on\n');
    expect(await running.finished).toMatchObject({ code: 0, stdout: expect.stringContaining('alice') });
    // It has ended, and is still there to be looked at.
    await image(MAIN, 'gc', '--grace-period=0s');
    expect(readdirSync(cas(MAIN, 'layer'))).toEqual(expect.arrayContaining(layers));
    await rkt.output(['gc', '--grace-period=0s']);
    expect((await image(MAIN, 'gc', '--grace-period=0s')).stderr).toMatch(/^gc: removed \d+ layer\(s\)/);
    expect(storeFiles(rkt.dir, [])).toEqual([]);
  });

  test('that is prepared keeps its layers, and runs when its image is gone', async () => {
    const { ociLayout } = await tinyImages();
    id = await fetchInto(MAIN, `oci:${ociLayout}:latest`);
    const layers = ownLayer();
    const prepared = await rkt.output(['prepare', id, '--exec=/bin/cat', '--', '/etc/passwd']);
    const collected = await image(MAIN, 'gc', '--grace-period=0s');
    expect(collected).toMatchObject({ code: 0, stdout: '' });
    expect(collected.stderr).toContain(`gc: image "${id}" not removed: a pod was made from it\n`);
    expect(await image(MAIN, 'rm', id)).toMatchObject({ code: 0 });
    await image(MAIN, 'gc', '--grace-period=0s');
    expect(readdirSync(cas(MAIN, 'layer'))).toEqual(expect.arrayContaining(layers));
    expect(await rkt.output(['run-prepared', '--net=none', prepared.trimEnd()])).toContain('alice');
    await rkt.output(['gc', '--grace-period=0s']);
    await image(MAIN, 'gc', '--grace-period=0s');
    expect(storeFiles(rkt.dir, [])).toEqual([]);
  });

  test('that has ended keeps its image from being collected, until it is removed', async () => {
    const { ociLayout } = await tinyImages();
    id = await fetchInto(MAIN, `oci:${ociLayout}:latest`);
    await rkt.output(['run', '--net=none', id], { timeoutSeconds: 240 });
    const kept = await image(MAIN, 'gc', '--grace-period=0s');
    expect(kept).toMatchObject({ code: 0, stdout: '' });
    // Its own and its stage1's.
    expect(kept.stderr.match(/not removed: a pod was made from it/g)).toHaveLength(2);
    const [pod] = await rkt.list();
    await rkt.output(['rm', pod?.name ?? '']);
    const collected = await image(MAIN, 'gc', '--grace-period=0s');
    expect(collected.stdout).toContain(`successfully removed aci for image: "${id}"\n`);
    expect(storeFiles(rkt.dir, [])).toEqual([]);
  });
});

describe('a fetch that goes on meanwhile', () => {
  let registry: TestRegistry;
  let certificate: Certificate;
  let caPath = '';
  beforeAll(async () => {
    mkdirSync(rkt.path('authority'));
    const authority = await TestAuthority.create(rkt.path('authority'));
    certificate = await authority.issue('registry');
    caPath = authority.caPath;
    registry = await TestRegistry.start();
  });
  afterAll(() => registry?.close());

  test('is not disturbed by who removes or collects what it needs', async () => {
    const layout = new LayoutWriter(rkt.path('meanwhile'));
    const made = layout.image({ layers: ['one', 'two', 'three'].map(layer) });
    const other = layout.image({ layers: ['one', 'two'].map(layer), config: { Labels: { other: 'yes' } } });
    await upload(registry, layout, made, 'team/app:1');
    const otherId = await fetchInto('meanwhile', layout.tag(other, 'other'));
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    let isWaiting = false;
    const hold: Transfer = async function* ({ path }, body) {
      if (path.includes('/blobs/') && !path.includes(configOf(layout.read(made)))) {
        isWaiting = true;
        await released;
      }
      yield* body;
    };
    await using server = await ScriptedServer.start(passedOn(registry.address, hold), certificate);
    const fetching = rkt.start(
      ['fetch', '--full', `--dir=${dirOf('meanwhile')}`, `docker://${server.address}/team/app:1`],
      { env: { SSL_CERT_FILE: caPath } },
    );
    await eventually('the last layer is on its way', () => isWaiting);
    // The layers that it found there belong to nobody any more but to it.
    expect(await image('meanwhile', 'rm', otherId)).toMatchObject({ code: 0 });
    expect(await image('meanwhile', 'gc', '--grace-period=0s')).toMatchObject({ code: 0 });
    release();
    const { code, stdout, stderr } = await fetching.finished;
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    expect(server.asked.filter((line) => line.includes('/blobs/'))).toHaveLength(2);
    expect(await image('meanwhile', 'verify', stdout.trimEnd())).toMatchObject({ code: 0, stderr: '' });
    const tree = rkt.path('meanwhile-tree');
    await image('meanwhile', 'render', '--rootfs-only', stdout.trimEnd(), tree);
    expect(readdirSync(tree).sort()).toEqual(['one', 'three', 'two']);
    await image('meanwhile', 'rm', stdout.trimEnd());
    await image('meanwhile', 'gc', '--grace-period=0s');
    expect(storeFiles(dirOf('meanwhile'), [])).toEqual([]);
  });
});

/** The digest of a manifest's configuration. */
function configOf(manifest: Buffer): string {
  const parsed: { config: { digest: string } } = JSON.parse(manifest.toString());
  return parsed.config.digest;
}
