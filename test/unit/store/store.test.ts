import {
  appendFileSync,
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { blankImageManifest, parseACIdentifier, parseImageID } from '../../../src/appc/index.ts';
import { type Digest, parseDigest } from '../../../src/oci/index.ts';
import { tryExclusive } from '../../../src/os/lock.ts';
import {
  type ImageRecord,
  type ImportedImage,
  identifyFile,
  openStore,
  type Store,
} from '../../../src/store/index.ts';

let data = '';
let store: Store;
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'rkt-store-'));
  store = openStore(data);
  store.prepare();
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

const cas = (...path: string[]) => join(data, 'cas', ...path);
const id = (digits: string, kind = 'sha512') => parseImageID(`${kind}-${digits.padEnd(64, '0')}`);
const digest = (digits: string) => parseDigest(`sha256:${digits.padEnd(64, '0')}`);

function record(imageId: ImageRecord['id'], layers: readonly Digest[] = []): ImportedImage {
  const manifest = blankImageManifest(parseACIdentifier('example.com/app'));
  const contents = layers.map((diffID) => ({ form: 'oci' as const, blob: diffID, diffID, whitelists: [] }));
  return { id: imageId, manifest, contents, layers, size: 7, source: 'app.aci' };
}

async function addLayer(of: Digest, size = 7): Promise<void> {
  using draft = store.draftLayer();
  writeFileSync(join(draft.rootfs, 'file'), 'content');
  await store.keepLayer(draft, of, size);
}

test('nothing is made before something is written, and only for those whom it concerns', () => {
  const fresh = openStore(join(data, 'fresh'));
  expect([fresh.list(), fresh.get(id('ab')), existsSync(join(data, 'fresh'))]).toEqual([
    [],
    undefined,
    false,
  ]);
  const modes = ['.', 'image', 'layer', 'tmp', 'locks'].map((name) =>
    (statSync(cas(name)).mode & 0o7777).toString(8),
  );
  expect(modes).toEqual(['2750', '2770', '700', '700', '2770']);
  chmodSync(cas('image'), 0o2750);
  store.prepare();
  expect(statSync(cas('image')).mode & 0o7777).toBe(0o2750);
});

describe('records', () => {
  test('come back as they were written', async () => {
    const written = await store.put(record(id('ab'), [digest('1'), digest('2')]));
    expect(store.get(id('ab'))).toEqual(written);
    expect(written).toMatchObject({ ...record(id('ab'), [digest('1'), digest('2')]) });
  });

  test('are used without being rewritten', async () => {
    await store.put(record(id('ab')));
    const file = cas('image', readdirSync(cas('image'))[0] ?? '');
    const { ino } = statSync(file);
    utimesSync(file, 1, 1);
    expect(store.get(id('ab'))?.lastUsed).toBe(1000);
    await store.put(record(id('ab')));
    expect(store.get(id('ab'))?.lastUsed).toBeGreaterThan(1e12);
    utimesSync(file, 1, 1);
    store.touch(id('ab'));
    expect(store.get(id('ab'))?.lastUsed).toBeGreaterThan(1e12);
    expect(statSync(file).ino).toBe(ino);
  });

  test.each(['', '{}', '[]', '{"version":2}', '{"version":1,"id":"x"}'])(
    'damaged ones are named: %j',
    async (text) => {
      await store.put(record(id('ab')));
      writeFileSync(cas('image', `${id('ab')}.json`), text);
      expect(() => store.get(id('ab'))).toThrow(expect.objectContaining({ code: 'bad-record' }));
    },
  );

  test('of one image in the place of that of another are no record of it; what is none is passed over', async () => {
    await store.put(record(id('ab')));
    const text = readFileSync(cas('image', `${id('ab')}.json`), 'utf8');
    writeFileSync(cas('image', `${id('cd')}.json`), text);
    expect(() => store.get(id('cd'))).toThrow(
      expect.objectContaining({ code: 'bad-record', message: expect.stringContaining('of another image') }),
    );
    rmSync(cas('image', `${id('cd')}.json`));
    for (const stray of ['x.json', 'sha512-ab.json', `${id('cd')}.json.tmp`])
      writeFileSync(cas('image', stray), text);
    expect(store.list()).toEqual([id('ab')]);
  });

  test('say who was given as a stage1, which no image and no later import changes', async () => {
    const image = await store.put(record(id('ab')));
    // As records were written before there were marks.
    expect(readFileSync(cas('image', `${id('ab')}.json`), 'utf8')).not.toContain('isStage1');
    expect([image.isStage1, store.get(id('ab'))?.isStage1]).toEqual([false, false]);
    expect((await store.markStage1(image, 'cimd:aci-archive:x')).isStage1).toBe(true);
    expect((await store.put({ ...record(id('ab')), source: 'elsewhere' })).isStage1).toBe(true);
    expect(store.get(id('ab'))).toMatchObject({ isStage1: true, source: 'elsewhere' });
    expect((await store.put(record(id('ab'), [digest('1')]))).isStage1).toBe(false);
  });

  test('of an extracted image stay so, whoever brings it again and cannot extract it', async () => {
    const whole = record(id('ab'), [digest('1'), digest('2')]);
    const before = await store.put(whole);
    const again = await store.put({ ...whole, layers: [], size: 3 });
    expect(again).toMatchObject({ layers: whole.layers, size: whole.size });
    expect(store.get(id('ab'))).toMatchObject({ layers: before.layers, size: before.size });
    const [first] = whole.contents;
    const other = { ...whole, contents: first === undefined ? [] : [first], layers: [] };
    expect(await store.put(other)).toMatchObject({ layers: [] });
    writeFileSync(cas('image', `${id('ab')}.json`), 'damaged');
    expect(await store.put({ ...whole, layers: [] })).toMatchObject({ layers: [] });
  });

  test('many writers of one record do not stumble over each other', async () => {
    await Promise.all(Array.from({ length: 20 }, (_, n) => store.put({ ...record(id('ab')), size: n })));
    expect(readdirSync(cas('image'))).toEqual([`${id('ab')}.json`]);
  });
});

describe('ids', () => {
  beforeEach(async () => {
    for (const one of [id('abc1'), id('abc2'), id('abc1', 'sha256')]) await store.put(record(one));
  });

  test('may be abbreviated', () => {
    expect(store.resolve('sha512-abc1')).toBe(id('abc1'));
    expect(store.resolve(id('abc2'))).toBe(id('abc2'));
    expect(store.resolve(`${id('abc2')}${'f'.repeat(64)}`)).toBe(id('abc2'));
    expect(store.resolve('sha256-ab')).toBe(id('abc1', 'sha256'));
    expect(store.list()).toEqual([id('abc1', 'sha256'), id('abc1'), id('abc2')]);
  });

  test.each([
    ['sha512-abd', 'no-image', 'no image IDs found'],
    ['sha512-a', 'id-too-short', 'image ID too short'],
    ['sha512-', 'id-too-short', 'image ID too short'],
    ['sha512-abc', 'ambiguous-id', 'ambiguous image ID'],
    ['md5-abc1', 'no-image', 'no image IDs found'],
    ['../../x', 'no-image', 'no image IDs found'],
  ])('%s: %s', (prefix, code, message) => {
    expect(() => store.resolve(prefix)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });
});

describe('layers', () => {
  test('appear whole, under a short name, with their digest', async () => {
    await addLayer(digest('abcdef'));
    expect(store.layerName(digest('abcdef'))).toBe(`abcdef${'0'.repeat(18)}/rootfs`);
    expect(store.layerPath(digest('abcdef'))).toBe(
      join(store.layerDirectory, store.layerName(digest('abcdef'))),
    );
    expect([store.hasLayer(digest('abcdef')), store.layerSize(digest('abcdef'))]).toEqual([true, 7]);
    expect(readdirSync(store.layerPath(digest('abcdef')))).toEqual(['file']);
    expect(statSync(cas('layer', 'abcdef'.padEnd(24, '0'))).mode & 0o7777).toBe(0o700);
    expect(readdirSync(cas('tmp'))).toEqual([]);
  });

  test('made twice are kept once', async () => {
    await addLayer(digest('ab'));
    await addLayer(digest('ab'));
    expect([readdirSync(cas('layer')).length, readdirSync(cas('tmp'))]).toEqual([1, []]);
  });

  test('two digests that begin alike are told apart', async () => {
    const other = parseDigest(`sha256:${'ab'.padEnd(63, '0')}1`);
    await addLayer(digest('ab'));
    expect(() => store.hasLayer(other)).toThrow(expect.objectContaining({ code: 'layer-mismatch' }));
    await expect(addLayer(other)).rejects.toMatchObject({ code: 'layer-mismatch' });
    expect(readdirSync(cas('tmp'))).toEqual([]);
  });

  test('that are missing are said to be', async () => {
    expect(() => store.layerPath(digest('ab'))).toThrow(expect.objectContaining({ code: 'layer-missing' }));
    const image = await store.put(record(id('ab'), [digest('ab')]));
    expect(store.isReady(image)).toBe(false);
    await addLayer(digest('ab'));
    expect(store.isReady(image)).toBe(true);
  });

  test('a draft that is not kept is removed, with whatever is in it', () => {
    {
      using draft = store.draftLayer();
      mkdirSync(join(draft.rootfs, 'a/b'), { recursive: true });
    }
    expect(readdirSync(cas('tmp'))).toEqual([]);
  });

  test('what a dead maker left is removed by the next, what a living one has is not', () => {
    mkdirSync(cas('tmp/layer-dead/rootfs/a'), { recursive: true });
    mkdirSync(cas('tmp/layer-live/rootfs'), { recursive: true });
    writeFileSync(cas('tmp/stray'), '');
    using _held = tryExclusive(cas('tmp/layer-live'));
    using _draft = store.draftLayer();
    expect(
      readdirSync(cas('tmp')).filter((name) => !name.startsWith('layer-') || name === 'layer-dead'),
    ).toEqual([]);
    expect(readdirSync(cas('tmp'))).toContain('layer-live');
    expect(readdirSync(cas('tmp')).length).toBe(2);
  });
});

test('a file stands for its image as long as it is the same file', async () => {
  const file = join(data, 'image.aci');
  writeFileSync(file, 'one');
  const before = identifyFile(file);
  expect(store.sources.find(before)).toBeUndefined();
  const note = { id: id('ab'), isVerified: true };
  await store.sources.note(before, note);
  expect(store.sources.find(identifyFile(file))).toMatchObject(note);
  appendFileSync(file, 'two');
  expect(store.sources.find(identifyFile(file))).toBeUndefined();
  await store.sources.note(identifyFile(file), { id: id('cd'), isVerified: false });
  writeFileSync(cas('source', before.key), 'damaged');
  expect(store.sources.find(identifyFile(file))).toBeUndefined();
});

test('a note has its writer’s lock, whatever path the file was read by', async () => {
  const file = join(data, 'image.aci');
  writeFileSync(file, 'one');
  const { key } = identifyFile(file);
  const other = store.locks.tryExclusive(`note-${key}`);
  const noted = store.sources.note(identifyFile(file), { id: id('ab'), isVerified: true });
  expect(readdirSync(cas('source'))).toEqual([]);
  other?.release();
  await noted;
  expect(readdirSync(cas('source'))).toEqual([key]);
});

test('the notes of a file that was built again and again go with the images that it was', async () => {
  const file = join(data, 'image.aci');
  const notes: string[] = [];
  const kept: string[] = [];
  for (const digits of ['ab', 'ab', 'cd']) {
    // A new file in the old one's place, while that is still there: its number is another.
    writeFileSync(`${file}.new`, String(notes.length));
    renameSync(`${file}.new`, file);
    linkSync(file, `${file}.${notes.length}`);
    const identity = identifyFile(file);
    await store.put(record(id(digits)));
    await store.sources.note(identity, { id: id(digits), isVerified: true });
    notes.push(identity.key);
    if (digits === 'cd') kept.push(identity.key);
  }
  store.sweepTraces(0);
  expect(readdirSync(cas('source')).sort()).toEqual([...notes].sort());
  await store.remove(id('ab'));
  store.sweepTraces(0);
  expect(readdirSync(cas('source'))).toEqual(kept);
});

test('collecting leaves alone what somebody is writing, and takes what a killed writer has left', async () => {
  await store.put(record(id('ab')));
  const address = 'cimd:x';
  store.remotes.note(address, { id: id('ab'), isVerified: true, fetchedAt: 1 });
  const [note = ''] = readdirSync(cas('remote'));
  const half = [
    cas('remote', `${note}.tmp`),
    cas('image', `${id('cd')}.json.tmp`),
    cas('stage1', `${id('cd')}.tmp`),
    cas('source', '1-2.tmp'),
  ];
  for (const path of half) writeFileSync(path, '{"refer');
  // Names that would be other places as names of locks.
  for (const name of ['...json.tmp', '.json.tmp', '..tmp']) writeFileSync(cas('image', name), '');
  for (const name of ['...tmp', '.tmp']) writeFileSync(cas('remote', name), '');
  for (const name of ['...tmp', '1-..tmp']) writeFileSync(cas('source', name), '');
  const writing = [`source-${note}`, id('cd'), 'note-1-2'].map((name) => store.locks.tryExclusive(name));
  store.sweepTraces(0);
  expect(half.map((path) => existsSync(path))).toEqual([true, true, true, true]);
  for (const lock of writing) lock?.release();
  store.sweepTraces(0);
  expect(half.map((path) => existsSync(path))).toEqual([false, false, false, false]);
  expect(readdirSync(cas('locks'))).toEqual([]);
  expect([store.remotes.find(address)?.id, store.list()]).toEqual([id('ab'), [id('ab')]]);
});

test('what is swept at once does not need as many open files', async () => {
  for (let n = 0; n < 600; n++) writeFileSync(cas('blob/sha256', n.toString(16).padStart(64, '0')), 'blob');
  await store.put(record(id('ab'), [digest('')]));
  const take = store.locks.tryExclusive.bind(store.locks);
  let most = 0;
  vi.spyOn(store.locks, 'tryExclusive').mockImplementation((name) => {
    most = Math.max(most, readdirSync('/proc/self/fd').length);
    return take(name);
  });
  expect(store.sweep(() => new Set())).toEqual({ layers: 0, blobs: 599, bytes: 599 * 4 });
  expect(most).toBeLessThan(400);
  expect(readdirSync(cas('blob/sha256'))).toEqual(['0'.repeat(64)]);
  expect(readdirSync(cas('locks')).filter((name) => name.startsWith('blob-'))).toEqual([]);
});
