import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { openDockerArchive } from '../../../src/image/docker-archive.ts';
import type { OciSource } from '../../../src/image/source.ts';
import { type Digest, parseDigest, readDocument } from '../../../src/oci/index.ts';
import { sha256 } from '../../support/image-files.ts';
import { useScratchTree } from '../../support/scratch-tree.ts';
import * as tar from '../../support/tar-archive.ts';

const scratch = useScratchTree();

const digest = (bytes: Buffer) => parseDigest(`sha256:${sha256(bytes)}`);
const LOWER = tar.archive(tar.file('lower', 'x'));
const UPPER = tar.archive(tar.file('upper', 'y'));
const CONFIG = configOf(LOWER, UPPER);

function configOf(...layers: readonly Buffer[]): Buffer {
  const rootfs = { type: 'layers', diff_ids: layers.map(digest) };
  return Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', config: {}, rootfs }));
}

const index = (...images: readonly object[]) => tar.file('manifest.json', JSON.stringify(images));
const IMAGE = { Config: 'c.json', RepoTags: ['tiny:1'], Layers: ['lower.tar', 'upper.tar'] };
const FILES = [tar.file('c.json', CONFIG), tar.file('lower.tar', LOWER), tar.file('upper.tar', UPPER)];

function write(...parts: readonly Buffer[]): string {
  writeFileSync(scratch.at('saved.tar'), tar.archive(...parts));
  return scratch.at('saved.tar');
}

const open = (path: string, tag?: string) => openDockerArchive(path, tag, scratch.at());

async function blobOf(source: OciSource, wanted: Digest, offset = 0) {
  const { bytes, ...opened } = await source.blob({ digest: wanted, size: 0 }).open(offset);
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return { ...opened, content: Buffer.concat(chunks) };
}

async function manifestOf(source: OciSource) {
  const { text, mediaType, digest: named } = await source.root();
  expect(named).toBe(digest(Buffer.from(text)));
  const document = readDocument(text, mediaType);
  if (document.kind !== 'manifest') throw new TypeError('not a manifest');
  return document;
}

const asIs = (text: string) => new RegExp(`^${text.replaceAll(/[()]/g, '\\$&')}$`);
const refusal = (code: string, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) });

test('an image has a manifest whose layers are known by what they unpack to', async () => {
  using source = await open(write(...FILES, index(IMAGE)));
  const { config, layers } = await manifestOf(source);
  expect(config).toMatchObject({ digest: digest(CONFIG), size: CONFIG.length });
  expect(layers).toMatchObject([
    { digest: digest(LOWER), size: LOWER.length, compression: 'none' },
    { digest: digest(UPPER), size: UPPER.length, compression: 'none' },
  ]);
  expect(await blobOf(source, digest(CONFIG))).toEqual({ offset: 0, total: CONFIG.length, content: CONFIG });
  const rest = UPPER.subarray(100);
  expect(await blobOf(source, digest(UPPER), 100)).toEqual({
    offset: 100,
    total: UPPER.length,
    content: rest,
  });
  expect((await blobOf(source, digest(UPPER), UPPER.length)).content).toHaveLength(0);
  await expect(blobOf(source, digest(Buffer.from('else')))).rejects.toEqual(
    refusal('not-found', /no blob sha256:/),
  );
  const descriptor = { ...config, urls: [], annotations: {} };
  await expect(source.document(descriptor)).rejects.toEqual(refusal('not-found', /no manifest sha256:/));
});

test('layers may be links to those of other images, as Docker once saved them', async () => {
  const path = write(
    tar.directory('aa'),
    tar.file('aa/layer.tar', LOWER),
    tar.symlink('bb/layer.tar', '../aa/layer.tar'),
    tar.symlink('cc/layer.tar', './../bb//layer.tar'),
    tar.hardlink('dd/layer.tar', 'cc/layer.tar'),
    tar.file('c.json', configOf(LOWER, LOWER, LOWER)),
    index({ Config: 'c.json', RepoTags: null, Layers: ['bb/layer.tar', './cc/layer.tar', 'dd/layer.tar'] }),
  );
  using source = await open(path);
  const { layers } = await manifestOf(source);
  expect(layers.map(({ size }) => size)).toEqual([LOWER.length, LOWER.length, LOWER.length]);
  expect((await blobOf(source, digest(LOWER))).content).toEqual(LOWER);
});

test.each<[string, Buffer, RegExp]>([
  [
    'up and out',
    tar.symlink('upper.tar', '../../etc/passwd'),
    /link "upper.tar" leads out of the archive, to "..\/..\/etc\/passwd"$/,
  ],
  ['to the root', tar.symlink('upper.tar', '/etc/passwd'), /leads out of the archive, to "\/etc\/passwd"$/],
  ['in a circle', tar.symlink('upper.tar', 'upper.tar'), /link "upper.tar" leads from link to link$/],
  [
    'out, as another name of a file',
    tar.hardlink('upper.tar', '../passwd'),
    /path "..\/passwd" contains ..$/,
  ],
])('a link %s is not followed', async (_where, link, message) => {
  const path = write(...FILES.slice(0, 2), link, index(IMAGE));
  await expect(open(path)).rejects.toEqual(refusal('hostile-entry', message));
});

test('a document of the archive names files of the archive alone', async () => {
  writeFileSync(scratch.at('c.json'), CONFIG);
  for (const [Config, code] of [
    ['../c.json', 'hostile-entry'],
    [scratch.at('c.json'), 'hostile-entry'],
    ['other.json', 'not-found'],
  ]) {
    const failed = open(write(...FILES, index({ ...IMAGE, Config })));
    await expect(failed).rejects.toMatchObject({ code });
  }
});

test('layers that are compressed have digests of their own: named, or that of their bytes', async () => {
  const [lower, upper] = [gzipSync(LOWER), gzipSync(UPPER)];
  const name = `blobs/sha256/${sha256(lower)}`;
  const path = write(
    tar.file(name, lower),
    tar.file('upper.tar', upper),
    tar.file('c.json', CONFIG),
    index({ ...IMAGE, Layers: [name, 'upper.tar'] }),
  );
  using source = await open(path);
  const { layers } = await manifestOf(source);
  expect(layers).toMatchObject([
    { digest: digest(lower), size: lower.length, compression: 'gzip' },
    { digest: digest(upper), size: upper.length, compression: 'gzip' },
  ]);
  expect(gunzipSync((await blobOf(source, digest(lower))).content)).toEqual(LOWER);
});

test('an archive that is compressed is read from a copy that leaves nothing behind', async () => {
  const path = write(...FILES, index(IMAGE));
  writeFileSync(path, gzipSync(readFileSync(path)));
  {
    using source = await open(path);
    expect(readdirSync(scratch.at())).toEqual(['saved.tar']);
    expect((await blobOf(source, digest(UPPER))).content).toEqual(UPPER);
  }
  writeFileSync(path, gzipSync(Buffer.alloc(1_000_000)));
  const expansion = { floor: 1000, ratio: 10 };
  await expect(openDockerArchive(path, undefined, scratch.at(), { expansion })).rejects.toEqual(
    refusal('too-large', /expands to more than 10 times/),
  );
  const reason = new Error('enough');
  const signal = AbortSignal.abort(reason);
  await expect(openDockerArchive(path, undefined, scratch.at(), { signal })).rejects.toBe(reason);
  writeFileSync(path, gzipSync(Buffer.alloc(1000)).subarray(0, 20));
  await expect(open(path)).rejects.toMatchObject({ code: 'decompression' });
  expect(readdirSync(scratch.at())).toEqual(['saved.tar']);
});

test.each([
  ['tiny:1', LOWER],
  ['docker.io/library/tiny:1', LOWER],
  ['other', UPPER],
  ['example.com/team/other:latest', UPPER],
  ['Not A Name', UPPER],
])('of several images the one called %s', async (tag, layer) => {
  const other = ['example.com/team/other', 'docker.io/library/other:latest', 'Not A Name'];
  const path = write(
    ...FILES,
    tar.file('l.json', configOf(LOWER)),
    tar.file('u.json', configOf(UPPER)),
    index(
      { Config: 'l.json', RepoTags: ['tiny:1'], Layers: ['lower.tar'] },
      { Config: 'u.json', RepoTags: other, Layers: ['upper.tar'] },
    ),
  );
  using source = await open(path, tag);
  expect((await manifestOf(source)).layers.map((found) => found.digest)).toEqual([digest(layer)]);
});

test('which one is meant has to be said, and has to be there', async () => {
  const unnamed = { ...IMAGE, RepoTags: [] };
  const many = Array.from({ length: 12 }, (_, n) => ({ ...IMAGE, RepoTags: [`image:${n}`] }));
  const failed = (images: readonly object[], tag?: string) => open(write(...FILES, index(...images)), tag);
  const both = 'tiny:1, (one without a name)';
  await expect(failed([IMAGE, unnamed])).rejects.toEqual(
    refusal('bad-reference', asIs(`the archive has several images, name one of ${both}`)),
  );
  await expect(failed([IMAGE, unnamed], 'tiny:2')).rejects.toEqual(
    refusal('not-found', asIs(`no image "tiny:2" in the archive, it has ${both}`)),
  );
  await expect(failed([IMAGE, IMAGE], 'tiny:1')).rejects.toEqual(
    refusal('bad-reference', asIs('the archive has several images "tiny:1"')),
  );
  await expect(failed(many)).rejects.toEqual(refusal('bad-reference', /, image:9 and 2 more$/));
  await expect(failed([])).rejects.toEqual(refusal('bad-layout', asIs('the archive has no image')));
});

test.each<[string, readonly Buffer[], string, RegExp]>([
  ['no list of images', FILES, 'bad-layout', /^no manifest.json in \S+saved.tar: /],
  ['a list that is no JSON', [tar.file('manifest.json', '[')], 'bad-layout', /^manifest.json: not JSON/],
  [
    'a list of something else',
    [index({ Config: 7 })],
    'bad-layout',
    /^manifest.json: \[0\].Config: expected a string, got 7$/,
  ],
  [
    'a list without end',
    [tar.file('manifest.json', Buffer.alloc(5_000_000))],
    'too-large',
    /^manifest.json has 5000000 bytes/,
  ],
  [
    'a layer too many',
    [...FILES, index({ ...IMAGE, Layers: ['lower.tar'] })],
    'bad-layout',
    /^manifest.json has 1 layers, the configuration 2$/,
  ],
  [
    'a missing layer',
    [...FILES.slice(0, 2), index(IMAGE)],
    'not-found',
    /^no file "upper.tar" in the archive/,
  ],
  [
    'two files of one name',
    [...FILES, ...FILES, index(IMAGE)],
    'duplicate-entry',
    /more than one file "c.json"$/,
  ],
  [
    'a configuration that is none',
    [tar.file('c.json', '{}'), ...FILES.slice(1), index(IMAGE)],
    'missing',
    /is required$/,
  ],
  [
    'a name without end',
    [
      tar.file('x'.repeat(90), '', { prefix: 'y'.repeat(150) }),
      tar.gnuLong('L', 'z'.repeat(2000)),
      tar.file('z'),
    ],
    'limit',
    /name/,
  ],
])('an archive with %s', async (_what, parts, code, message) => {
  await expect(open(write(...parts))).rejects.toEqual(refusal(code, message));
});

test('a file that is not there, or no archive', async () => {
  await expect(open(scratch.at('none'))).rejects.toEqual(refusal('not-found', /^no such file: /));
  writeFileSync(scratch.at('text'), 'hello'.repeat(1000));
  await expect(open(scratch.at('text'))).rejects.toMatchObject({ name: 'TarError' });
  writeFileSync(scratch.at('empty'), '');
  await expect(open(scratch.at('empty'))).rejects.toMatchObject({ code: 'truncated' });
});
