import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openStore, type Store } from '../../src/store/index.ts';
import { fetchLocal } from '../support/fetch.ts';
import { writeLayout } from '../support/image-files.ts';
import { stackedTree, umociTree } from '../support/image-tree.ts';
import { pythonImage, tinyImages } from '../support/images.ts';
import { randomFrom, testSeed } from '../support/random.ts';
import { RandomEdits } from '../support/random-edits.ts';
import { TestRegistry } from '../support/registry.ts';
import * as tar from '../support/tar-archive.ts';
import { UmociImage } from '../support/umoci-image.ts';

// The same image, pushed to a registry by skopeo and fetched by us, and unpacked by umoci: every file is the same.

let base = '';
let store: Store;
let registry: TestRegistry;
beforeAll(async () => {
  registry = await TestRegistry.start();
});
afterAll(() => registry.close());
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'rkt-comparison-'));
  store = openStore(join(base, 'data'));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const at = (...path: string[]) => join(base, ...path);

/** Fetches an image from each place it can come from, and compares with what umoci makes of its layout. */
async function expectSameTree(layout: string, layers?: number): Promise<void> {
  const expected = await umociTree(layout);
  const fromLayout = await fetchLocal(store, `oci:${layout}:latest`, base);
  expect(stackedTree(store, fromLayout)).toEqual(expected);
  if (layers !== undefined) expect(fromLayout.layers.length).toBe(layers);

  for (const [name, flags] of [
    ['oci', []],
    ['docker', ['--format=v2s2']],
  ] as const) {
    await registry.push(`oci:${layout}:latest`, `${name}:latest`, flags);
    const fresh = openStore(at(name));
    const record = await fetchLocal(fresh, `docker://${registry.address}/${name}:latest`, base);
    expect(stackedTree(fresh, record), name).toEqual(expected);
  }
}

test('a debootstrapped Debian', async () => {
  await expectSameTree(await pythonImage(), 1);
});

test('a busybox', async () => {
  await expectSameTree((await tinyImages()).ociLayout);
});

test('file capabilities, set-user-id, devices, sparse and long-named files', async () => {
  const image = await UmociImage.create(at('image'));
  await image.script(`
    mkdir -p deep etc/private; chmod 700 etc/private; chown 10:20 etc/private; mknod null c 1 3; mkfifo pipe
    cp /bin/true deep/tool; setcap cap_net_raw+ep deep/tool; cp /bin/true deep/su; chmod 4755 deep/su
    cp /bin/true deep/both; chown 3:4 deep/both; setcap cap_chown,cap_kill=eip deep/both
    truncate -s 1M sparse; printf x >> sparse; printf long > $(printf 'n%.0s' $(seq 200)); touch -d @1 old`);
  await image.script('setcap cap_sys_admin+p deep/su; setcap -r deep/tool; cp -a deep/both deep/copy');
  await expectSameTree(image.finish(), 2);
});

test('hard links across directories and layers', async () => {
  const image = await UmociImage.create(at('image'));
  await image.script(`
    mkdir -p a/b c/d e; echo one > a/b/file; ln a/b/file c/d/same; ln a/b/file e/same; ln a/b/file same
    ln -s file a/b/link; ln a/b/link e/link; echo two > e/two; ln e/two a/two`);
  await image.script(
    'ln a/b/file c/more; rm e/same; echo changed > e/two; ln same e/again; chown 5:6 a/b/link',
  );
  await image.script('rm -r a; ln c/d/same c/last');
  await expectSameTree(image.finish(), 3);
});

test('layers that add, remove and replace, some without entries for their directories', async () => {
  const image = await UmociImage.create(at('image'));
  await image.script(`
    mkdir -p usr/lib etc/private opt/gone opt/emptied; ln -s usr/lib lib; chmod 700 etc/private; chown 10:20 etc/private
    echo one > usr/lib/one; echo two > opt/gone/two; echo three > opt/emptied/three; echo four > etc/four; mknod null c 1 3`);
  await image.script(
    'rm -r opt/gone opt/emptied/three null; mkdir null; echo in > null/in; echo new > etc/private/new',
  );
  await image.script(
    'rm -r null; echo file > null; rm lib; mkdir lib; echo real > lib/real; rm -r opt; mkdir opt; echo back > opt/back',
  );
  writeFileSync(at('inserted'), 'inserted');
  await image.insert(at('inserted'), '/etc/private/inserted');
  await image.insert('--whiteout', '/etc/four');
  await expectSameTree(image.finish(), 5);
});

describe('opaque whiteouts', () => {
  const root = { uid: 0, gid: 0 };
  const lower = tar.archive(
    tar.directory('./', root),
    ...['a/', 'a/deep/', 'a/deep/er/', 'b/', 'c/'].map((name) =>
      tar.directory(name, { ...root, mode: 0o711 }),
    ),
    ...['a/one', 'a/deep/two', 'a/deep/er/three', 'b/four', 'c/five'].map((name) =>
      tar.file(name, name, root),
    ),
  );
  const middle = tar.archive(
    tar.directory('b/', root),
    tar.file('b/six', 'six', root),
    tar.file('.wh.c', '', root),
  );

  test.each([
    ['before what is new', [tar.directory('a/', root), opaque('a'), tar.file('a/new', 'new', root)]],
    ['after what is new', [tar.directory('a/', root), tar.file('a/new', 'new', root), opaque('a')]],
    ['inside of what stays', [tar.directory('a/', root), tar.directory('a/deep/', root), opaque('a/deep')]],
    ['over two layers', [tar.directory('b/', root), opaque('b'), tar.file('b/six', 'again', root)]],
    [
      'of what was removed and came back',
      [tar.directory('c/', root), opaque('c'), tar.file('c/new', 'x', root)],
    ],
  ])('%s', async (_, upper) => {
    const layers = [lower, middle, tar.archive(tar.directory('./', root), ...upper)];
    writeLayout(
      at('layout'),
      layers.map((layer) => ({ tar: layer })),
    );
    await expectSameTree(at('layout'));
  });

  function opaque(directory: string): Buffer {
    return tar.file(`${directory}/.wh..wh..opq`, '', root);
  }
});

test('1,000 edits in 20 layers', async () => {
  const seed = testSeed();
  process.stdout.write(`comparison: seed ${seed}\n`);
  const random = randomFrom(seed);
  const image = await UmociImage.create(at('image'));
  for (let layer = 0; layer < 20; layer++)
    await image.layer((rootfs) => new RandomEdits(rootfs, random, layer * 50).apply(50));
  await expectSameTree(image.finish(), 20);
});
