import { describe, expect, test } from 'vitest';
import {
  ByteSource,
  DEFAULT_TAR_LIMITS,
  type Entry,
  feedOf,
  TarError,
  type TarLimits,
  TarReader,
} from '../../../../src/image/tar/index.ts';
import { randomFrom, testSeed } from '../../../support/random.ts';
import * as tar from '../../../support/tar-archive.ts';

interface Read {
  readonly entry: Entry;
  readonly content: Buffer | undefined;
}

async function readAll(
  bytes: Buffer,
  chunk = bytes.length || 1,
  limits: TarLimits = DEFAULT_TAR_LIMITS,
): Promise<Read[]> {
  const reader = new TarReader(new ByteSource(feedOf(tar.chunks(bytes, chunk))), {
    endMarker: 'required',
    limits,
  });
  const read: Read[] = [];
  for await (const entry of reader.entries()) {
    const content = entry.kind === 'file' && entry.size < 1e6 ? Buffer.alloc(entry.size) : undefined;
    if (content !== undefined)
      for await (const piece of reader.content()) content.set(piece.bytes, piece.offset);
    read.push({ entry, content });
  }
  return read;
}

async function only(...parts: Buffer[]): Promise<Read> {
  const [first, ...rest] = await readAll(tar.archive(...parts));
  if (first === undefined || rest.length > 0) throw new Error('expected one entry');
  return first;
}

const code = async (bytes: Buffer, limits?: TarLimits) =>
  readAll(bytes, bytes.length || 1, limits).then(
    () => 'accepted',
    (error: unknown) => (error instanceof TarError ? error.code : `not a TarError: ${error}`),
  );

describe('formats', () => {
  test('ustar: every kind of entry, at any chunk size', async () => {
    const bytes = tar.archive(
      tar.directory('dir/'),
      tar.file('dir/file', 'content', { mode: 0o4755, uid: 1000, gid: 2000 }),
      tar.symlink('dir/link', 'file'),
      tar.hardlink('dir/second', 'dir/file'),
      tar.entry({ name: 'null', type: '3', major: 1, minor: 3 }),
      tar.entry({ name: 'disk', type: '4', major: 8, minor: 1 }),
      tar.entry({ name: 'pipe', type: '6' }),
      tar.file('big', Buffer.alloc(3000, 7)),
    );
    for (const chunk of [1, 7, 511, 512, 513, 100_000]) {
      const read = await readAll(bytes, chunk);
      expect(read.map(({ entry }) => [entry.kind, entry.path])).toEqual([
        ['directory', 'dir/'],
        ['file', 'dir/file'],
        ['symlink', 'dir/link'],
        ['hardlink', 'dir/second'],
        ['character', 'null'],
        ['block', 'disk'],
        ['fifo', 'pipe'],
        ['file', 'big'],
      ]);
      expect(read[1]).toMatchObject({
        entry: {
          mode: 0o4755,
          uid: 1000,
          gid: 2000,
          size: 7,
          mtime: { seconds: 1_600_000_000, nanoseconds: 0 },
        },
      });
      expect(read[1]?.content?.toString()).toBe('content');
      expect(read[4]?.entry).toMatchObject({ major: 1, minor: 3 });
      expect(read[7]?.content).toEqual(Buffer.alloc(3000, 7));
    }
  });

  test('content that nobody reads is passed over', async () => {
    const bytes = tar.archive(tar.file('a', Buffer.alloc(5000)), tar.file('b', 'b'));
    const reader = new TarReader(new ByteSource(feedOf(tar.chunks(bytes, 700))), { endMarker: 'required' });
    const names: string[] = [];
    for await (const entry of reader.entries()) names.push(entry.path);
    expect(names).toEqual(['a', 'b']);
  });

  test('prefix, GNU long names, pax names; the later wins', async () => {
    const long = 'n'.repeat(300);
    expect((await only(tar.file('name', '', { prefix: 'some/where' }))).entry.path).toBe('some/where/name');
    expect((await only(tar.gnuLong('L', long), tar.file('short'))).entry.path).toBe(long);
    expect((await only(tar.gnuLong('K', long), tar.symlink('link', 'short'))).entry).toMatchObject({
      path: 'link',
      target: long,
    });
    expect((await only(tar.pax([['path', long]]), tar.file('short'))).entry.path).toBe(long);
    expect(
      (
        await only(
          tar.pax([
            ['path', 'a'],
            ['path', long],
          ]),
          tar.file('short'),
        )
      ).entry.path,
    ).toBe(long);
    expect(
      (
        await only(
          tar.pax([
            ['path', long],
            ['path', ''],
          ]),
          tar.file('short'),
        )
      ).entry.path,
    ).toBe('short');
  });

  test('names need not be UTF-8', async () => {
    expect((await only(tar.file('caf\xe9'))).entry.path).toBe('caf\xe9');
    expect((await only(tar.pax([['path', Buffer.from([0x66, 0xff])]]), tar.file('x'))).entry.path).toBe(
      'f\xff',
    );
  });

  test('pax overrides: size, owner, time before and after 1970; binary attributes', async () => {
    const value = Buffer.from([0, 10, 61, 255, 0]);
    const { entry, content } = await only(
      tar.pax([
        ['size', '3'],
        ['uid', '4000000'],
        ['gid', '5000000'],
        ['mtime', '1700000000.000000007'],
        ['SCHILY.xattr.security.capability', value],
        ['SCHILY.xattr.user.empty', ''],
      ]),
      tar.header({ name: 'file', size: 0 }),
      tar.padded(Buffer.from('abc')),
    );
    expect(entry).toMatchObject({
      uid: 4_000_000,
      gid: 5_000_000,
      mtime: { seconds: 1_700_000_000, nanoseconds: 7 },
      size: 3,
    });
    expect([...entry.xattrs]).toEqual([
      ['security.capability', value],
      ['user.empty', Buffer.alloc(0)],
    ]);
    expect(content?.toString()).toBe('abc');
    const early = await only(tar.pax([['mtime', '-1.25']]), tar.file('old'));
    expect(early.entry.mtime).toEqual({ seconds: -2, nanoseconds: 750_000_000 });
  });

  test('global headers hold for all entries until they are replaced', async () => {
    const read = await readAll(
      tar.archive(
        tar.pax(
          [
            ['uid', '7'],
            ['comment', 'x'],
          ],
          'g',
        ),
        tar.file('a'),
        tar.pax([['uid', '8']]),
        tar.file('b'),
        tar.file('c'),
      ),
    );
    expect(read.map(({ entry }) => entry.uid)).toEqual([7, 8, 7]);
  });

  test('base-256 numbers, negative times, old archives', async () => {
    const size = Buffer.alloc(12);
    size[0] = 0x80;
    size[11] = 4;
    const mtime = Buffer.alloc(12, 0xff);
    mtime[11] = 0xfe;
    const { entry } = await only(tar.header({ name: 'f', size, mtime }), tar.padded(Buffer.from('abcd')));
    expect(entry).toMatchObject({ size: 4, mtime: { seconds: -2, nanoseconds: 0 } });
    expect((await only(tar.entry({ name: 'dir/', type: '\0', magic: '\0\0\0\0\0\0\0\0' }))).entry.kind).toBe(
      'directory',
    );
    expect(
      (await only(tar.entry({ name: 'file', type: '\0', magic: '\0\0\0\0\0\0\0\0' }, 'x'))).entry.kind,
    ).toBe('file');
  });
});

describe('sparse files', () => {
  const stored = Buffer.concat([Buffer.from('head'), Buffer.from('tail')]);
  const whole = Buffer.concat([
    Buffer.from('head'),
    Buffer.alloc(996),
    Buffer.from('tail'),
    Buffer.alloc(96),
  ]);

  test('pax 0.0, 0.1 and 1.0 give the same file', async () => {
    const v00 = tar.pax([
      ['GNU.sparse.size', '1100'],
      ['GNU.sparse.numblocks', '2'],
      ['GNU.sparse.offset', '0'],
      ['GNU.sparse.numbytes', '4'],
      ['GNU.sparse.offset', '1000'],
      ['GNU.sparse.numbytes', '4'],
    ]);
    const v01 = tar.pax([
      ['GNU.sparse.size', '1100'],
      ['GNU.sparse.numblocks', '2'],
      ['GNU.sparse.map', '0,4,1000,4'],
      ['GNU.sparse.name', 'real'],
    ]);
    const v10 = tar.pax([
      ['GNU.sparse.major', '1'],
      ['GNU.sparse.minor', '0'],
      ['GNU.sparse.name', 'real'],
      ['GNU.sparse.realsize', '1100'],
    ]);
    const map = tar.padded(Buffer.from('2\n0\n4\n1000\n4\n'));
    for (const { entry, content } of [
      await only(v00, tar.file('real', stored)),
      await only(v01, tar.file('GNUSparseFile.1/real', stored)),
      await only(v10, tar.file('GNUSparseFile.1/real', Buffer.concat([map, stored]))),
    ]) {
      expect(entry).toMatchObject({ path: 'real', kind: 'file', size: 1100 });
      expect(content).toEqual(whole);
    }
  });

  test('old GNU, with its map continued in further blocks', async () => {
    const field = (block: Buffer, at: number, value: number) =>
      block.write(value.toString(8).padStart(11, '0'), at, 'latin1');
    const further = Buffer.alloc(512);
    field(further, 0, 1000);
    field(further, 12, 4);
    const first = tar.header({
      name: 'real',
      type: 'S',
      magic: 'ustar  \0',
      size: 8,
      patch: (block) => {
        for (const [at, value] of [
          [386, 0],
          [398, 4],
          [410, 500],
          [422, 0],
          [434, 600],
          [446, 0],
          [458, 700],
          [470, 0],
        ] as const)
          field(block, at, value);
        block[482] = 1;
        field(block, 483, 1100);
      },
    });
    const { entry, content } = await only(first, further, tar.padded(stored));
    expect(entry).toMatchObject({ path: 'real', size: 1100 });
    expect(content).toEqual(whole);
  });

  test('a map of many regions spans blocks', async () => {
    const count = 400;
    const lines = Array.from({ length: count }, (_, at) => `${at * 10}\n1\n`).join('');
    const map = tar.padded(Buffer.from(`${count}\n${lines}`));
    const records = tar.pax([
      ['GNU.sparse.major', '1'],
      ['GNU.sparse.minor', '0'],
      ['GNU.sparse.realsize', '4000'],
    ]);
    const { content } = await only(records, tar.file('f', Buffer.concat([map, Buffer.alloc(count, 1)])));
    expect(content?.filter((byte) => byte === 1).length).toBe(count);
    expect(content?.[3990]).toBe(1);
  });

  const withMap = (size: string, map: string, bytes: number) =>
    tar.archive(
      tar.pax([
        ['GNU.sparse.size', size],
        ['GNU.sparse.map', map],
      ]),
      tar.file('f', Buffer.alloc(bytes)),
    );
  test.each([
    ['overlap', withMap('100', '0,10,5,10', 20)],
    ['out of order', withMap('100', '50,10,0,10', 20)],
    ['beyond the size', withMap('10', '0,20', 20)],
    ['more than stored', withMap('100', '0,20', 10)],
    ['less than stored', withMap('100', '0,5', 10)],
    ['odd', withMap('100', '0,5,7', 5)],
    ['not numbers', withMap('100', '0,x', 5)],
    ['no size', tar.archive(tar.pax([['GNU.sparse.map', '0,1']]), tar.file('f', 'x'))],
    [
      'offset twice',
      tar.archive(
        tar.pax([
          ['GNU.sparse.size', '9'],
          ['GNU.sparse.offset', '0'],
          ['GNU.sparse.offset', '0'],
        ]),
        tar.file('f', 'x'),
      ),
    ],
    [
      'endless line',
      tar.archive(
        tar.pax([
          ['GNU.sparse.major', '1'],
          ['GNU.sparse.minor', '0'],
          ['GNU.sparse.realsize', '9'],
        ]),
        tar.file('f', Buffer.alloc(4096, 0x31)),
      ),
    ],
    [
      'map longer than the file',
      tar.archive(
        tar.pax([
          ['GNU.sparse.major', '1'],
          ['GNU.sparse.minor', '0'],
          ['GNU.sparse.realsize', '9'],
        ]),
        tar.file('f', tar.padded(Buffer.from('200\n1\n'))),
      ),
    ],
  ])('refuses a map with %s', async (_, bytes) => {
    expect(await code(bytes)).toBe('bad-sparse');
  });
});

describe('what is refused', () => {
  const whole = tar.archive(tar.file('a', Buffer.alloc(1000, 1)), tar.file('b', 'b'));

  test('an archive cut anywhere', async () => {
    for (let end = 0; end < whole.length - 1024; end += 97) {
      expect(await code(whole.subarray(0, end)), `cut at ${end}`).toBe('truncated');
    }
    expect(await code(whole.subarray(0, whole.length - 512))).toBe('accepted');
  });

  test('an end marker may be left out where a digest tells the whole', async () => {
    // With the last file's padding, and without.
    for (const cut of [1024, 1024 + 511]) {
      const bytes = whole.subarray(0, whole.length - cut);
      const reader = new TarReader(new ByteSource(feedOf(tar.chunks(bytes, 512))), { endMarker: 'optional' });
      let count = 0;
      for await (const _ of reader.entries()) count++;
      expect(count).toBe(2);
    }
  });

  test.each([
    ['a damaged checksum', 'bad-header', Buffer.concat([Buffer.from('x'), whole.subarray(1)])],
    ['a second archive behind the end', 'trailing-data', Buffer.concat([whole, whole])],
    ['text instead of an archive', 'bad-header', Buffer.alloc(1024, 'text')],
    [
      'a size that is no number',
      'bad-header',
      tar.archive(tar.header({ size: Buffer.from('12x45678901\0') })),
    ],
    ['a negative size', 'bad-header', tar.archive(tar.header({ size: Buffer.alloc(12, 0xff) }))],
    [
      'a size beyond all numbers',
      'bad-header',
      tar.archive(tar.header({ size: Buffer.concat([Buffer.from([0x80]), Buffer.alloc(11, 0xff)]) })),
    ],
    ['an unknown type', 'unsupported', tar.archive(tar.entry({ name: 'f', type: 'M' }))],
    ['a link to nothing', 'bad-header', tar.archive(tar.symlink('l', ''))],
    [
      'two pax headers',
      'bad-header',
      tar.archive(tar.pax([['uid', '1']]), tar.pax([['uid', '2']]), tar.file('f')),
    ],
    [
      'two long names',
      'bad-header',
      tar.archive(tar.gnuLong('L', 'a'), tar.gnuLong('L', 'b'), tar.file('f')),
    ],
    ['a pax header at the end', 'truncated', tar.archive(tar.pax([['uid', '1']]))],
    ['a global name', 'bad-pax', tar.archive(tar.pax([['path', 'x']], 'g'), tar.file('f'))],
    ['a name with a NUL', 'bad-pax', tar.archive(tar.pax([['path', Buffer.from('a\0b')]]), tar.file('f'))],
    [
      'a pax length that is wrong',
      'bad-pax',
      tar.archive(tar.entry({ type: 'x' }, '99 path=x\n'), tar.file('f')),
    ],
    ['a pax record without a key', 'bad-pax', tar.archive(tar.entry({ type: 'x' }, '5 =x\n'), tar.file('f'))],
    [
      'a pax record without end',
      'bad-pax',
      tar.archive(tar.entry({ type: 'x' }, '10 path=xx'), tar.file('f')),
    ],
    ['a pax size that is no number', 'bad-pax', tar.archive(tar.pax([['size', '-1']]), tar.file('f'))],
    [
      'an owner that means nobody',
      'bad-header',
      tar.archive(tar.pax([['uid', '4294967295']]), tar.file('f')),
    ],
    ['a directory with content', 'bad-header', tar.archive(tar.file('f/', 'content'))],
    ['a long name without end', 'limit', tar.archive(tar.gnuLong('L', 'n'.repeat(5000)), tar.file('f'))],
  ])('%s', async (_, expected, bytes) => {
    expect(await code(bytes)).toBe(expected);
  });

  test('more than the limits allow', async () => {
    const tight: TarLimits = {
      extendedHeader: 600,
      name: 100,
      entries: 3,
      sparseRegions: 2,
      fileSize: 1000,
      xattrs: 100,
    };
    const many = Array.from({ length: 4 }, (_, at) => tar.file(`f${at}`));
    expect(await code(tar.archive(...many), tight)).toBe('limit');
    expect(await code(tar.archive(...many.slice(1)), tight)).toBe('accepted');
    expect(
      await code(tar.archive(...Array.from({ length: 4 }, () => tar.pax([['a', 'b']], 'g'))), tight),
    ).toBe('limit');
    expect(await code(tar.archive(tar.pax([['comment', 'x'.repeat(700)]]), tar.file('f')), tight)).toBe(
      'limit',
    );
    expect(await code(tar.archive(tar.pax([['path', 'x'.repeat(101)]]), tar.file('f')), tight)).toBe('limit');
    expect(
      await code(tar.archive(tar.pax([['SCHILY.xattr.user.x', 'x'.repeat(101)]]), tar.file('f')), tight),
    ).toBe('limit');
    expect(await code(tar.archive(tar.file('f', Buffer.alloc(1001))), tight)).toBe('limit');
    expect(
      await code(
        tar.archive(
          tar.pax([
            ['GNU.sparse.size', '9'],
            ['GNU.sparse.map', '0,1,2,1,4,1'],
          ]),
          tar.file('f', 'abc'),
        ),
        tight,
      ),
    ).toBe('limit');
    const huge = tar.header({ name: 'pax', type: 'x', size: 2 ** 32 });
    expect(await code(tar.archive(huge), tight)).toBe('limit');
  });
});

test('mutated archives are read or refused, never anything else', async () => {
  const seed = testSeed();
  const fraction = randomFrom(seed);
  const random = (below: number) => Math.floor(fraction() * below);
  const base = tar.archive(
    tar.pax([
      ['GNU.sparse.major', '1'],
      ['GNU.sparse.minor', '0'],
      ['GNU.sparse.realsize', '1100'],
    ]),
    tar.file(
      'sparse',
      Buffer.concat([tar.padded(Buffer.from('2\n0\n4\n1000\n4\n')), Buffer.from('headtail')]),
    ),
    tar.gnuLong('L', 'long/name'),
    tar.file('x', Buffer.alloc(700, 1)),
    tar.pax([
      ['mtime', '1.5'],
      ['SCHILY.xattr.user.a', 'b'],
    ]),
    tar.symlink('link', 'x'),
  );
  for (let round = 0; round < 400; round++) {
    const bytes = Buffer.from(base);
    for (let change = 0; change <= random(4); change++) bytes[random(bytes.length)] = random(256);
    // Half of the time past the checksum, which would stop nearly everything.
    if (round % 2 === 0)
      for (let at = 0; at < bytes.length - 1024; at += 512) tar.withChecksum(bytes.subarray(at, at + 512));
    const result = await code(bytes.subarray(0, bytes.length - random(3) * 300));
    expect(result, `seed ${seed}, round ${round}`).not.toContain('not a TarError');
  }
});
