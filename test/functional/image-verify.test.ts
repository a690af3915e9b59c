import {
  appendFileSync,
  chmodSync,
  chownSync,
  lutimesSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { Descriptor } from '../../src/os/descriptor.ts';
import { removeXattr } from '../../src/os/file-attributes.ts';
import { tinyImages } from '../support/images.ts';
import { LayoutWriter } from '../support/layout-writer.ts';
import { useRkt } from '../support/rkt.ts';
import * as tar from '../support/tar-archive.ts';
import { treeListing } from '../support/tree-listing.ts';

// What `image verify` finds wrong in a store, what it mends, and what it must leave as it is.

const rkt = useRkt();
let layout: LayoutWriter;
let [id, reference] = ['', ''];
beforeAll(async () => {
  layout = new LayoutWriter(rkt.path('layout'));
  const layers = [
    tar.archive(
      tar.directory('etc'),
      tar.file('etc/file', 'content', { mode: 0o640 }),
      tar.file('etc/other', 'content'),
      tar.symlink('etc/link', 'file'),
      tar.pax([['SCHILY.xattr.user.mark', 'value']]),
      tar.file('etc/marked', 'content'),
    ),
    tar.archive(tar.file('etc/.wh.other'), tar.file('top', 'content')),
  ];
  reference = layout.tag(layout.image({ layers }), 'latest');
  id = (await rkt.output(['fetch', '--full', reference])).trimEnd();
});

const cas = (...names: string[]) => join(rkt.dir, 'cas', ...names);
const layerPaths = () => readdirSync(cas('layer')).map((name) => cas('layer', name, 'rootfs'));
/** Of the layer that has a file of that name. */
function layerWith(name: string): string {
  const path = layerPaths().find((layer) => treeListing(layer).some((line) => line.startsWith(`${name} `)));
  if (path === undefined) throw new TypeError(`no layer has ${name}`);
  return path;
}
/** Of all layers; a whiteout's own time is of no consequence. */
const listings = () =>
  layerPaths()
    .map((path) => treeListing(path).map((line) => line.replace(/ 20000 0 0 \d+ 0$/, ' whiteout')))
    .sort();
const verify = () => rkt.run(['image', 'verify', id]);
const VERIFIED = () => `successfully verified checksum for image: "${id}" ("${id}")\n`;

/** What can go wrong with files, and what is said of it. */
const DAMAGE: Readonly<Record<string, readonly [(lower: string) => void, RegExp]>> = {
  'other content of the same length': [
    (lower) => {
      writeFileSync(join(lower, 'etc/file'), 'CONTENT');
      lutimesSync(join(lower, 'etc/file'), 1_600_000_000, 1_600_000_000);
    },
    /etc\/file/,
  ],
  'more content': [(lower) => appendFileSync(join(lower, 'etc/file'), 'more'), /etc\/file/],
  'a file that is gone': [(lower) => unlinkSync(join(lower, 'etc/file')), /etc/],
  'a file that nobody knows': [(lower) => writeFileSync(join(lower, 'etc/new'), ''), /etc/],
  'another mode': [(lower) => chmodSync(join(lower, 'etc/file'), 0o4755), /etc\/file/],
  'another owner': [(lower) => chownSync(join(lower, 'etc/file'), 1000, 0), /etc\/file/],
  'another time': [(lower) => lutimesSync(join(lower, 'etc/file'), 1, 1), /etc\/file/],
  'a link that leads elsewhere': [
    (lower) => {
      unlinkSync(join(lower, 'etc/link'));
      symlinkSync('/etc/shadow', join(lower, 'etc/link'));
    },
    /etc/,
  ],
  'a directory that became a link': [
    (lower) => {
      rmSync(join(lower, 'etc'), { recursive: true });
      symlinkSync('/etc', join(lower, 'etc'));
    },
    /"\/"/,
  ],
};

describe('a layer with', () => {
  test.each(Object.keys(DAMAGE))('%s is made anew', async (what) => {
    const [damage, message] = DAMAGE[what] ?? [];
    const before = listings();
    damage?.(layerWith('etc/link'));
    expect(listings()).not.toEqual(before);
    const { code, stdout, stderr } = await verify();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [problem, verified] = stdout.split(/(?<=\n)/);
    expect(problem).toMatch(
      new RegExp(
        `^tree cache verification failed for image ${id}: layer sha256:\\w{64}: .*; rebuilt "${id}"\n$`,
      ),
    );
    expect(problem).toMatch(message ?? /^$/);
    expect(verified).toBe(VERIFIED());
    expect(listings()).toEqual(before);
    expect(readdirSync(cas('tmp'))).toEqual([]);
    expect(await verify()).toMatchObject({ code: 0, stdout: VERIFIED(), stderr: '' });
  });

  test('an extended attribute that is gone is made anew', async () => {
    const file = join(layerWith('etc/marked'), 'etc/marked');
    const before = listings();
    using opened = new Descriptor(openSync(file, 'r'));
    removeXattr(opened, 'user.mark');
    expect(listings()).not.toEqual(before);
    expect(await verify()).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/etc\/marked.*; rebuilt/),
    });
    expect(listings()).toEqual(before);
  });

  test('a whiteout that is gone is made anew', async () => {
    const upper = layerWith('top');
    const before = listings();
    rmSync(join(upper, 'etc/other'));
    expect(await verify()).toMatchObject({ code: 0, stdout: expect.stringMatching(/: .*etc.*; rebuilt/) });
    expect(listings()).toEqual(before);
  });
});

test('a layer that is lost is made anew, and so are all of them', async () => {
  const before = listings();
  for (const lost of [1, 2]) {
    for (const name of readdirSync(cas('layer')).slice(0, lost))
      rmSync(cas('layer', name), { recursive: true });
    const { code, stdout } = await verify();
    expect(code).toBe(0);
    expect(stdout.match(/: layer sha256:\w{64} was missing; rebuilt/g)).toHaveLength(lost);
    expect(listings()).toEqual(before);
  }
});

test('an image that nobody has extracted is verified by what was fetched', async () => {
  for (const name of readdirSync(cas('layer'))) rmSync(cas('layer', name), { recursive: true });
  const record = cas('image', `${id}.json`);
  const json: Record<string, unknown> = JSON.parse(readFileSync(record, 'utf8'));
  writeFileSync(record, JSON.stringify({ ...json, layers: [] }));
  expect(await verify()).toMatchObject({ code: 0, stdout: VERIFIED(), stderr: '' });
  expect(readdirSync(cas('layer'))).toEqual([]);
  await rkt.output(['fetch', reference]);
  expect(readdirSync(cas('layer'))).toHaveLength(2);
});

describe('what was fetched and is damaged is named, and brought anew by another fetch', () => {
  const blobs = () => readdirSync(cas('blob/sha256'));

  test.each([
    [
      'changed',
      (path: string) => writeFileSync(path, Buffer.alloc(readFileSync(path).length)),
      /has the digest/,
    ],
    ['cut off', (path: string) => truncateSync(path, 1), /has the digest/],
    ['gone', (path: string) => rmSync(path), /is missing/],
  ])('each blob that is %s', async (_how, damage, message) => {
    for (const name of blobs()) {
      damage(cas('blob/sha256', name));
      const { code, stdout, stderr } = await verify();
      expect({ code, stdout }).toEqual({ code: 254, stdout: '' });
      const [first, second] = stderr.trimEnd().split('\n');
      expect(first).toMatch(
        new RegExp(`^verify: ${id}: blob sha256:${name} ${message.source}.*image rm and fetch`),
      );
      expect(second).toBe('verify: failed to verify one or more images');
      await rkt.output(['image', 'rm', id]);
      expect(await rkt.output(['fetch', '--full', reference])).toBe(`${id}\n`);
      expect(await verify()).toMatchObject({ code: 0, stdout: VERIFIED() });
    }
  });
});

test('a damaged layer that a pod is made of stays, until the pod is gone', async () => {
  const { ociLayout } = await tinyImages();
  const running = (await rkt.output(['fetch', '--full', `oci:${ociLayout}:latest`])).trimEnd();
  const ran = await rkt.run(['run', '--net=none', running], { timeoutSeconds: 240 });
  expect(ran).toMatchObject({ code: 0 });
  const layer = layerWith('etc/passwd');
  writeFileSync(join(layer, 'etc/added'), '');
  const refused = await rkt.run(['image', 'verify', running]);
  expect(refused).toMatchObject({ code: 254, stdout: '' });
  expect(refused.stderr).toMatch(
    /^verify: \S+: layer sha256:\w{64}: .*; a pod is made of it: remove the pod and verify again/,
  );
  expect(readdirSync(join(layer, 'etc'))).toContain('added');
  await rkt.output(['gc', '--grace-period=0s']);
  const mended = await rkt.run(['image', 'verify', running]);
  expect(mended).toMatchObject({ code: 0, stdout: expect.stringContaining(`; rebuilt "${running}"\n`) });
  expect(readdirSync(join(layer, 'etc'))).not.toContain('added');
});

test('a stage1 is verified like any other image', async () => {
  const [stage1 = ''] = readdirSync(cas('stage1'));
  expect(await rkt.run(['image', 'verify', stage1])).toMatchObject({
    code: 0,
    stdout: `successfully verified checksum for image: "${stage1}" ("${stage1}")\n`,
  });
});
