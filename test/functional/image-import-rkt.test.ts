import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { aci, aciOf } from '../support/image-files.ts';
import { useRkt } from '../support/rkt.ts';
import { writeRktStore } from '../support/rkt-store.ts';
import * as tar from '../support/tar-archive.ts';

// The images of an rkt 1.x, taken over.

const rkt = useRkt();

describe('image import-rkt', () => {
  const dir = () => `--dir=${rkt.path('imported')}`;

  test('takes what is there, and says of each image what has become of it', async () => {
    const old = rkt.path('old');
    const [id = ''] = writeRktStore(old, [aci(tar.file('rootfs/file', 'content'))]);
    expect(await rkt.output([dir(), 'image', 'import-rkt', old])).toBe(
      `successfully imported image: "${id}" ("example.com/test")\n`,
    );
    const again = await rkt.run([dir(), 'image', 'import-rkt', old]);
    expect(again).toMatchObject({ code: 0, stdout: '' });
    expect(again.stderr).toBe(`import-rkt: image "${id}" is in the store already\n`);
  });

  test('takes images in the order in which they depend on each other, and names those that cannot be had', async () => {
    const depends = (name: string, ...on: string[]) =>
      aciOf({ name: `example.com/${name}`, dependencies: on.map((imageName) => ({ imageName })) });
    const old = rkt.path('depending');
    const [top = '', base = ''] = writeRktStore(old, [
      depends('top', 'example.com/middle'),
      aciOf({ name: 'example.com/base' }, tar.file('rootfs/base', 'base')),
      depends('middle', 'example.com/base'),
      depends('lonely', 'example.com/none'),
    ]);
    // What lies there under another name, and what is no image at all.
    const shard = join(old, 'cas/blob/sha512', base.slice(7, 9));
    const lie = `sha512-${base.slice(7, 9)}${'0'.repeat(62)}`;
    writeFileSync(join(shard, lie), aciOf({ name: 'example.com/lie' }));
    writeFileSync(join(shard, 'README'), 'junk');
    const { code, stdout, stderr } = await rkt.run([dir(), 'image', 'import-rkt', old]);
    expect(code).toBe(254);
    expect([...stdout.matchAll(/\("example\.com\/(\w+)"\)/g)].map(([, name]) => name)).toEqual([
      'base',
      'middle',
      'top',
    ]);
    const complaints = stderr.trimEnd().split('\n');
    expect(complaints.pop()).toBe('import-rkt: failed to import one or more images');
    expect(complaints).toHaveLength(2);
    const told = complaints.join('\n');
    expect(told).toMatch(
      new RegExp(`^import-rkt: image "${lie}": .* has the content of sha512-\\w{64}$`, 'm'),
    );
    expect(told).toMatch(
      /^import-rkt: image "sha512-\w{64}": dependency example\.com\/none: it is not in the store$/m,
    );
    const tree = rkt.path('imported-tree');
    await rkt.output([dir(), 'image', 'render', '--rootfs-only', top, tree]);
    expect(readdirSync(tree)).toEqual(['base']);
  });
});
