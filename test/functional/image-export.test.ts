import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { aciOf } from '../support/image-files.ts';
import { umociTree } from '../support/image-tree.ts';
import { type TinyImages, tinyImages } from '../support/images.ts';
import { LayoutWriter, type Written } from '../support/layout-writer.ts';
import { useRkt } from '../support/rkt.ts';
import * as tar from '../support/tar-archive.ts';
import { tool } from '../support/tool.ts';
import { treeListing } from '../support/tree-listing.ts';

// Images that leave the store, and what comes of them elsewhere: in another store, and in the tools that others use.

const rkt = useRkt();
let tiny: TinyImages;
let layout: LayoutWriter;
let image: Written;
/** Of the image of several layers. */
let id = '';
beforeAll(async () => {
  tiny = await tinyImages();
  layout = new LayoutWriter(rkt.path('layout'));
  image = layout.image({ layers: layers(), config: { Cmd: ['/bin/true'], Env: ['A=b'], User: '1000:1000' } });
  id = (await rkt.output(['fetch', '--full', layout.tag(image, 'latest')])).trimEnd();
});

/** All that layers may hold, and what they may do to those below. */
function layers(): Buffer[] {
  const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex');
  return [
    tar.archive(
      tar.directory('etc'),
      tar.file('etc/gone', 'below'),
      tar.file('etc/kept', 'below', { uid: 1000, gid: 2000, mode: 0o640, mtime: 1_500_000_000 }),
      tar.directory('opaque'),
      tar.file('opaque/below', 'below'),
      tar.directory('bin'),
      tar.file('bin/setuid', 'x', { mode: 0o4755 }),
      tar.pax([['SCHILY.xattr.security.capability', capability]]),
      tar.file('bin/ping', 'x', { mode: 0o755 }),
      tar.pax([['SCHILY.xattr.user.mark', 'value']]),
      tar.file('bin/marked', 'x'),
      tar.hardlink('bin/linked', 'bin/setuid'),
      tar.symlink('bin/link', '/etc/kept'),
      tar.entry({ name: 'null', type: '3', major: 1, minor: 3, mode: 0o666 }),
      tar.entry({ name: 'fifo', type: '6', mode: 0o600 }),
      tar.directory('tmp', { mode: 0o1777 }),
    ),
    tar.archive(
      tar.file('etc/.wh.gone'),
      tar.directory('opaque', { mode: 0o700 }),
      tar.file('opaque/.wh..wh..opq'),
      tar.file('opaque/above', 'above'),
    ),
    tar.archive(tar.directory('etc', { mode: 0o750, mtime: 1_400_000_000 }), tar.file('etc/added', 'above')),
  ];
}

async function fetchInto(store: string, reference: string): Promise<string> {
  return (await rkt.output([`--dir=${rkt.path(store)}`, 'fetch', '--full', reference])).trimEnd();
}

async function treeOf(store: string, of: string): Promise<string[]> {
  const tree = rkt.path(`tree-${store}`);
  await rkt.output([`--dir=${rkt.path(store)}`, 'image', 'render', '--rootfs-only', of, tree]);
  return treeListing(tree);
}

describe('an image of several layers', () => {
  test('is as an ACI one archive of what an app would see, which runs elsewhere', async () => {
    const file = rkt.path('layers.aci');
    await rkt.output(['image', 'export', id, file]);
    const elsewhere = await fetchInto('aci', file);
    expect(elsewhere).toMatch(/^sha512-/);
    const tree = await treeOf('aci', elsewhere);
    expect(tree).toEqual(await umociTree(layout.directory));
    expect(tree.map((line) => line.split(' ')[0])).toEqual(
      expect.arrayContaining(['null', 'fifo', 'opaque/above']),
    );
    // The same from any store: nothing of this machine or this minute is in it.
    await rkt.output(['image', 'export', elsewhere, rkt.path('again.aci'), `--dir=${rkt.path('aci')}`]);
    expect(readFileSync(rkt.path('again.aci')).equals(readFileSync(file))).toBe(true);
    await rkt.output(['image', 'export', '--overwrite', id, rkt.path('again.aci')]);
    expect(readFileSync(rkt.path('again.aci')).equals(readFileSync(file))).toBe(true);
    mkdirSync(rkt.path('directory.aci'));
    const refused = await rkt.run(['image', 'export', '--overwrite', id, rkt.path('directory.aci')]);
    expect(refused.stderr).toMatch(/directory.aci is there already, and is no file\n$/);
  });

  test('keeps in its manifest what it was and where it came from', async () => {
    const [before, after] = await Promise.all(
      [
        ['image', 'cat-manifest', id],
        [`--dir=${rkt.path('aci')}`, 'image', 'cat-manifest', 'layout:latest'],
      ].map(async (args) => JSON.parse(await rkt.output(args)) as unknown),
    );
    expect(after).toEqual(before);
    expect(before).toMatchObject({ app: { user: '1000', group: '1000' } });
  });

  test('is as an archive of OCI what was fetched, byte for byte', async () => {
    const file = rkt.path('layers.tar');
    await rkt.output(['image', 'export', id, file]);
    mkdirSync(rkt.path('unpacked'));
    await tool('tar', ['-C', rkt.path('unpacked'), '-xf', file]);
    const blobs = (directory: string) => readdirSync(join(directory, 'blobs/sha256')).sort();
    expect(blobs(rkt.path('unpacked'))).toEqual(blobs(layout.directory));
    for (const blob of blobs(layout.directory))
      expect(
        readFileSync(join(rkt.path('unpacked'), 'blobs/sha256', blob)).equals(
          readFileSync(join(layout.directory, 'blobs/sha256', blob)),
        ),
      ).toBe(true);
    const digest = await tool('skopeo', ['inspect', '--format={{.Digest}}', `oci-archive:${file}:latest`]);
    expect(digest.trim()).toBe(image.digest);
    expect(await umociTree(rkt.path('unpacked'))).toEqual(await umociTree(layout.directory));
    expect(await fetchInto('oci', `oci-archive:${file}`)).toBe(id);
  });

  test('is not exported where what was fetched of it is lost, and nothing is left of the attempt', async () => {
    const store = rkt.path('lost');
    const lost = await fetchInto('lost', `oci:${layout.directory}:latest`);
    const blobs = join(store, 'cas/blob/sha256');
    for (const blob of readdirSync(blobs)) rmSync(join(blobs, blob));
    mkdirSync(rkt.path('outputs'));
    const { code, stderr } = await rkt.run([
      `--dir=${store}`,
      'image',
      'export',
      lost,
      rkt.path('outputs/x.tar'),
    ]);
    expect({ code, stderr }).toEqual({
      code: 254,
      stderr: expect.stringMatching(
        /^export: .*blob sha256:\w+ is not in the store any more: fetch the image again\n$/,
      ),
    });
    expect(readdirSync(rkt.path('outputs'))).toEqual([]);
    // Its layers are there: an ACI can still be made of them.
    await rkt.output([`--dir=${store}`, 'image', 'export', lost, rkt.path('outputs/x.aci')]);
  });
});

describe('an image that runs', () => {
  const HELLO = { code: 0, stdout: 'hello from the image\n' };
  const run = (store: string, image: string) =>
    rkt.run([`--dir=${rkt.dir}`, 'run', '--net=none', image, '--name', store], { timeoutSeconds: 240 });

  test('runs as an ACI made of an image of OCI', async () => {
    const oci = (await rkt.output(['fetch', '--full', `oci:${tiny.ociLayout}:latest`])).trimEnd();
    await rkt.output(['image', 'export', oci, rkt.path('tiny.aci')]);
    expect(await run('as-aci', rkt.path('tiny.aci'))).toMatchObject(HELLO);
  });

  test('runs as an image of OCI made of an ACI, as other tools see it too', async () => {
    await rkt.output(['fetch', tiny.aci.gzip]);
    const file = rkt.path('from-aci.tar');
    await rkt.output(['image', 'export', 'example.com/tiny', file]);
    expect(await run('as-oci', `oci-archive:${file}`)).toMatchObject(HELLO);
    const config: unknown = JSON.parse(
      await tool('skopeo', ['inspect', '--config', `oci-archive:${file}:1.0.0`]),
    );
    expect(config).toMatchObject({
      architecture: 'amd64',
      os: 'linux',
      config: { WorkingDir: '/home/alice', Env: expect.arrayContaining(['FROM=image']) },
    });
    mkdirSync(rkt.path('from-aci'));
    await tool('tar', ['-C', rkt.path('from-aci'), '-xf', file]);
    const rendered = rkt.path('rendered-aci');
    await rkt.output(['image', 'render', '--rootfs-only', 'example.com/tiny', rendered]);
    expect(await umociTree(rkt.path('from-aci'), '1.0.0')).toEqual(treeListing(rendered));
  });
});

test('of an ACI its own archive is exported, without what it depends on, and unpacked', async () => {
  writeFileSync(rkt.path('base.aci'), aciOf({ name: 'example.com/base' }, tar.file('rootfs/base', 'base')));
  const dependencies = [{ imageName: 'example.com/base' }];
  const own = aciOf({ name: 'example.com/top', dependencies }, tar.file('rootfs/top', 'top'));
  writeFileSync(rkt.path('top.aci'), own);
  await tool('gzip', ['-k', rkt.path('top.aci')]);
  await rkt.output(['fetch', rkt.path('base.aci')]);
  await rkt.output(['fetch', rkt.path('top.aci')]);
  await rkt.output(['image', 'export', 'example.com/top', rkt.path('own.aci')]);
  expect(readFileSync(rkt.path('own.aci')).equals(own)).toBe(true);
  // An image of OCI depends on nothing: it has all of it.
  await rkt.output(['image', 'export', 'example.com/top', rkt.path('whole.tar')]);
  const whole = await fetchInto('whole', `oci-archive:${rkt.path('whole.tar')}`);
  expect((await treeOf('whole', whole)).map((line) => line.split(' ')[0])).toEqual(['.', 'base', 'top']);
});

test('what is exported is for whoever exports it, as the umask says', async () => {
  const file = rkt.path('mode.aci');
  const script = 'umask 027 && exec "$@"';
  const argv = ['sh', '-c', script, 'sh', ...rkt.argv(['image', 'export', id, file])];
  expect((await rkt.startArgv(argv).finished).code).toBe(0);
  expect((statSync(file).mode & 0o777).toString(8)).toBe('640');
});
