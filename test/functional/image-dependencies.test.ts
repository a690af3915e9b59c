import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { useFetchBench } from '../support/fetch-bench.ts';
import { aciOf, labelsOf } from '../support/image-files.ts';
import { tinyImages } from '../support/images.ts';
import * as tar from '../support/tar-archive.ts';
import { tool } from '../support/tool.ts';
import { treeListing } from '../support/tree-listing.ts';

// ACIs that are made of others: what is fetched for them, and what their apps see.

const bench = useFetchBench(['example.com']);
const { rkt, site } = bench;
const unsigned = { insecure: 'image' };
beforeEach(() => {
  site.clear();
  bench.announce();
});

const on = (...names: readonly string[]) => names.map((imageName) => ({ imageName }));

/** What an app of the image would see, as `rkt image render` writes it. */
async function render(id: string, store: string): Promise<string> {
  const directory = rkt.path(`rendered-${store}`);
  const { code, stderr } = await bench.run(['image', 'render', '--rootfs-only', id, directory], { store });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return directory;
}

/** The paths of a tree, directories with a slash. */
function paths(directory: string): string[] {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  const path = (parent: string, name: string) => `${parent.slice(directory.length)}/${name}`;
  return entries
    .map((entry) => `${path(entry.parentPath, entry.name)}${entry.isDirectory() ? '/' : ''}`)
    .sort();
}

describe('dependencies are rendered in their order, each over those before it', () => {
  const NAMES = { a: 'example.com/a', b: 'example.com/b', c: 'example.com/c', d: 'example.com/d' } as const;
  type Name = keyof typeof NAMES;
  const DEPENDS: Readonly<Record<Name, readonly string[]>> = {
    a: [NAMES.b, NAMES.c],
    b: [],
    c: [NAMES.d],
    d: [],
  };
  const dir = (name: string, mode = 0o755) => tar.directory(`rootfs/${name}`, { mode });
  const own = (of: Name, ...paths: readonly string[]) =>
    paths.map((path) => tar.file(`rootfs/${path}`, `${of} has ${path}`, { uid: 1000 + of.charCodeAt(0) }));
  const CONTENTS: Readonly<Record<Name, readonly Buffer[]>> = {
    a: [dir('shared', 0o711), ...own('a', 'who', 'a', 'shared/a'), tar.hardlink('rootfs/a-too', 'rootfs/a')],
    b: [dir('shared'), ...own('b', 'who', 'b', 'b+d', 'b+c', 'shared/b', 'shared/both', 'kind')],
    c: [
      ...[dir('shared', 0o700), dir('link'), dir('kind')],
      ...own('c', 'who', 'b+c', 'd+c', 'shared/both', 'link/c', 'kind/c'),
    ],
    d: [dir('target'), ...own('d', 'who', 'b+d', 'd+c', 'target/d'), tar.symlink('rootfs/link', 'target')],
  };
  // GNU tar sets the time of a directory when it has seen what is in it, which has to follow.
  const byName = Buffer.compare;
  const imageOf = (name: Name) =>
    aciOf({ name: NAMES[name], dependencies: on(...DEPENDS[name]) }, ...[...CONTENTS[name]].sort(byName));

  /** What GNU tar makes of the archives, one after the other. */
  async function expected(...order: readonly Name[]): Promise<string[]> {
    const directory = rkt.path('expected');
    mkdirSync(directory);
    for (const name of order) {
      const flags = ['--numeric-owner', '--same-owner', '--preserve-permissions', '--strip-components=1'];
      await tool('tar', ['-xf', bench.local(imageOf(name)), '-C', directory, ...flags, 'rootfs']);
    }
    return treeListing(directory);
  }

  test('A of B and C, C of D: B, D, C, A', async () => {
    for (const name of ['b', 'c', 'd'] as const) bench.publish(NAMES[name], imageOf(name));
    const id = await bench.fetch([bench.local(imageOf('a'))], { store: 'order', ...unsigned });
    expect(treeListing(await render(id, 'order'))).toEqual(await expected('b', 'd', 'c', 'a'));
    expect(site.log.filter((line) => line.includes('/images/'))).toEqual([
      'GET /images/example.com/b-latest.aci 200',
      'GET /images/example.com/c-latest.aci 200',
      'GET /images/example.com/d-latest.aci 200',
    ]);
  });

  test('image extract writes what an image has itself', async () => {
    const directory = rkt.path('extracted');
    const { code, stderr } = await bench.run(['image', 'extract', NAMES.a, directory], { store: 'order' });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(paths(directory)).toEqual([
      ...['/manifest', '/rootfs/', '/rootfs/a', '/rootfs/a-too', '/rootfs/shared/', '/rootfs/shared/a'],
      '/rootfs/who',
    ]);
  });

  test('each of them is an image of its own, and is not fetched again for another', async () => {
    const other = aciOf({ name: 'example.com/other', dependencies: on(NAMES.d, NAMES.b) });
    await bench.fetch([bench.local(other)], { store: 'order', insecure: 'image' });
    expect(site.log).toEqual([]);
    const { stdout } = await bench.run(['image', 'list', '--fields=name', '--no-legend'], { store: 'order' });
    expect(stdout.trim().split('\n').sort()).toEqual([...Object.values(NAMES), 'example.com/other'].sort());
  });
});

test('a directory takes the place of a link, wherever that leads', async () => {
  const outside = rkt.path('outside');
  mkdirSync(outside);
  bench.publish(
    'example.com/below',
    aciOf({ name: 'example.com/below' }, tar.symlink('rootfs/data', outside)),
  );
  const upper = aciOf(
    { name: 'example.com/upper', dependencies: on('example.com/below') },
    tar.directory('rootfs/data'),
    tar.file('rootfs/data/file', 'not outside'),
  );
  const id = await bench.fetch([bench.local(upper)], { store: 'link', ...unsigned });
  expect(paths(await render(id, 'link'))).toEqual(['/data/', '/data/file']);
  expect(readdirSync(outside)).toEqual([]);
});

describe('a whitelist', () => {
  const below = (name: string, manifest: object = {}) =>
    aciOf(
      { name, ...manifest },
      ...['etc', 'etc/ssl', 'usr', 'usr/bin'].map((path) => tar.directory(`rootfs/${path}`)),
      ...['etc/passwd', 'etc/ssl/cert', 'usr/bin/tool'].map((path) => tar.file(`rootfs/${path}`, name)),
    );

  test('of an image leaves its listed files, and its directories', async () => {
    const image = below('example.com/own', { pathWhitelist: ['/usr/bin/tool', '/etc'] });
    const id = await bench.fetch([bench.local(image)], { store: 'own', ...unsigned });
    expect(paths(await render(id, 'own'))).toEqual([
      ...['/etc/', '/etc/ssl/', '/usr/', '/usr/bin/', '/usr/bin/tool'],
    ]);
  });

  test('of a dependant leaves what it lists of those below, and the way there', async () => {
    bench.publish('example.com/below', below('example.com/below'));
    const manifest = {
      name: 'example.com/upper',
      dependencies: on('example.com/below'),
      pathWhitelist: ['/usr/bin/tool', '/own'],
    };
    const upper = aciOf(manifest, tar.file('rootfs/own', 'own'), tar.file('rootfs/unlisted', 'own'));
    const id = await bench.fetch([bench.local(upper)], { store: 'dependant', ...unsigned });
    expect(paths(await render(id, 'dependant'))).toEqual(['/own', '/usr/', '/usr/bin/', '/usr/bin/tool']);
  });

  test('is applied again where an image is used again: what one leaves out, another may bring', async () => {
    bench.publish('example.com/below', below('example.com/below'));
    for (const [name, path] of [
      ['example.com/users', '/etc/passwd'],
      ['example.com/tools', '/usr/bin/tool'],
    ] as const)
      bench.publish(name, aciOf({ name, dependencies: on('example.com/below'), pathWhitelist: [path] }));
    const both = { name: 'example.com/both', dependencies: on('example.com/users', 'example.com/tools') };
    const id = await bench.fetch([bench.local(aciOf(both))], { store: 'twice', ...unsigned });
    expect(paths(await render(id, 'twice'))).toEqual([
      ...['/etc/', '/etc/passwd', '/usr/', '/usr/bin/', '/usr/bin/tool'],
    ]);
  });
});

describe('a dependency', () => {
  test('is found by its labels, beside others of its name', async () => {
    for (const version of ['1.0', '2.0', '3.0'])
      bench.publish(
        'example.com/lib',
        aciOf(
          { name: 'example.com/lib', labels: labelsOf({ version }) },
          tar.file('rootfs/version', version),
        ),
        version,
      );
    const options = { store: 'labels', ...unsigned };
    for (const version of ['1.0', '3.0']) await bench.fetch([`example.com/lib:${version}`], options);
    for (const version of ['1.0', '2.0']) {
      const labels = [{ name: 'version', value: version }];
      const dependencies = [{ imageName: 'example.com/lib', labels }];
      const name = `example.com/app-${version.replace('.', '-')}`;
      const id = await bench.fetch([bench.local(aciOf({ name, dependencies }))], options);
      const { stdout } = await bench.run(['image', 'render', id, rkt.path(name.replace('/', '-'))], options);
      expect(stdout).toBe('');
      expect(readFileSync(rkt.path(`${name.replace('/', '-')}/rootfs/version`), 'utf8')).toBe(version);
    }
  });

  test('may be named by its id, all of it', async () => {
    const options = { store: 'ids', ...unsigned };
    const lib = aciOf({ name: 'example.com/lib' }, tar.file('rootfs/lib', 'lib'));
    const imageID = `sha512-${(await tool('sha512sum', [bench.local(lib)])).slice(0, 128)}`;
    bench.publish('example.com/lib', lib);
    const dependencies = [{ imageName: 'example.com/lib', imageID }];
    // One that is there under the name is not the one that is meant: it is looked for.
    await bench.fetch([bench.local(aciOf({ name: 'example.com/lib' }))], options);
    await bench.fetch([bench.local(aciOf({ name: 'example.com/app', dependencies }))], options);
    expect(site.log.at(-1)).toBe('GET /images/example.com/lib-latest.aci 200');
  });
});

test('an app sees its own files and those of the images below', async () => {
  const { aci } = await tinyImages();
  const dependencies = on('example.com/tiny');
  const exec = ['/bin/sh', '-c', 'cat /greeting'];
  const image = aciOf(
    { name: 'example.com/greeter', dependencies, app: { exec, user: '0', group: '0' } },
    tar.file('rootfs/greeting', 'hello from above\n'),
  );
  const options = { store: 'app', ...unsigned };
  await bench.fetch([aci.plain], options);
  const { code, stdout, stderr } = await bench.run(['run', '--net=none', bench.local(image)], options);
  expect({ code, stdout, stderr: code === 0 ? '' : stderr }).toEqual({
    ...{ code: 0, stdout: 'hello from above\n', stderr: '' },
  });
});
