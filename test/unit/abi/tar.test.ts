import { describe, expect, test } from 'vitest';
import { bodyLength, formatTarEntry, TAR_END, type TarEntry, tarPadding } from '../../../src/abi/tar.ts';
import { parseTarEntry } from '../../../src/abi/tar-reading.ts';
import { ByteSource, type Entry, feedOf, TarReader } from '../../../src/image/tar/index.ts';

const plain = {
  mode: 0o644,
  uid: 1000,
  gid: 1001,
  mtime: { seconds: 1_600_000_000, nanoseconds: 0 },
  xattrs: new Map<string, Uint8Array>(),
};
const bytes = (length: number, value: number) => new Uint8Array(length).fill(value);

/** As a program that writes archives does: header, content, padding. */
function archive(...entries: readonly TarEntry[]): Buffer {
  const parts = entries.flatMap((entry) => {
    const length = bodyLength(entry);
    return [formatTarEntry(entry), bytes(length, 0x61), bytes(tarPadding(length), 0)];
  });
  return Buffer.concat([...parts, TAR_END]);
}

/** As the programs do that take archives from rkt itself. */
function parsed(tar: Buffer): TarEntry[] {
  let at = 0;
  const read = (length: number) => {
    if (at + length > tar.length) throw new RangeError('too early');
    at += length;
    return Uint8Array.from(tar.subarray(at - length, at));
  };
  const entries: TarEntry[] = [];
  for (let entry = parseTarEntry(read); entry !== undefined; entry = parseTarEntry(read)) {
    entries.push(entry);
    const length = bodyLength(entry);
    read(length + tarPadding(length));
  }
  expect(at).toBe(tar.length);
  return entries;
}

async function read(tar: Buffer): Promise<Entry[]> {
  async function* whole() {
    yield tar;
  }
  const reader = new TarReader(new ByteSource(feedOf(whole())), { endMarker: 'required' });
  const entries: Entry[] = [];
  for await (const entry of reader.entries()) entries.push(entry);
  return entries;
}

const file = (size: number, more: Partial<TarEntry> = {}): TarEntry =>
  ({
    ...plain,
    path: 'file',
    kind: 'file',
    size,
    regions: [{ offset: 0, length: size }],
    ...more,
  }) as TarEntry;

describe('what is written is read back', () => {
  test.each<[string, TarEntry]>([
    ['a file', file(3)],
    ['an empty file', { ...file(0), regions: [{ offset: 0, length: 0 }] } as TarEntry],
    ['a file that ends at a block', file(1024)],
    ['a name of 100 bytes', file(1, { path: 'n'.repeat(100) })],
    ['a name of more', file(1, { path: `${'d'.repeat(90)}/${'n'.repeat(200)}` })],
    ['a name that is not UTF-8', file(1, { path: 'a\xff\xfe\n"' })],
    ['ids that octal digits do not hold', file(1, { uid: 4_000_000_000, gid: 3_000_000_000 })],
    ['nanoseconds', file(1, { mtime: { seconds: 5, nanoseconds: 7 } })],
    ['a time before 1970', file(1, { mtime: { seconds: -5, nanoseconds: 0 } })],
    ['a time just before 1970', file(1, { mtime: { seconds: -1, nanoseconds: 999_999_999 } })],
    ['set-user-id', file(1, { mode: 0o7755 })],
    ['extended attributes', file(1, { xattrs: new Map([['user.a', Uint8Array.from([0, 10, 61, 255])]]) })],
    ['a directory', { ...plain, path: 'd/', kind: 'directory' }],
    ['a link', { ...plain, path: 'l', kind: 'symlink', target: 't'.repeat(300) }],
    ['a further name', { ...plain, path: 'h', kind: 'hardlink', target: 'file' }],
    ['devices', { ...plain, path: 'c', kind: 'character', major: 4095, minor: 1_048_575 }],
    ['a fifo', { ...plain, path: 'f', kind: 'fifo' }],
  ])('%s', async (_, entry) => {
    expect(await read(archive(entry, file(2, { path: 'behind' })))).toMatchObject([
      entry,
      { path: 'behind' },
    ]);
  });

  test.each([
    [
      'in the middle',
      30_000,
      [
        { offset: 0, length: 5 },
        { offset: 20_000, length: 10_000 },
      ],
    ],
    ['at the end', 30_000, [{ offset: 4096, length: 7 }]],
    ['and nothing else', 8 * 2 ** 30, []],
  ])('a hole %s', async (_, size, regions) => {
    const sparse = file(size, { regions, path: `${'long/'.repeat(30)}sparse` } as Partial<TarEntry>);
    const [entry, next] = await read(archive(sparse, file(1, { path: 'behind' })));
    expect(entry).toMatchObject({ ...sparse, regions: expect.arrayContaining(regions) });
    expect(next?.path).toBe('behind');
    expect(parsed(archive(sparse, file(1, { path: 'behind' })))).toMatchObject([sparse, { path: 'behind' }]);
  });

  test('a size that octal digits do not hold', async () => {
    // Its content would be 8 GiB: the header alone tells.
    const header = Buffer.from(formatTarEntry(file(8 * 2 ** 30)));
    expect(header.toString('latin1')).toContain('19 size=8589934592\n');
  });
});

function written(tar: Buffer, text: string, at: number): Buffer {
  tar.write(text, at);
  return tar;
}

describe('what rkt has not written is refused', () => {
  test.each<[string, (tar: Buffer) => Buffer]>([
    ['cut short', (tar) => tar.subarray(0, 700)],
    ['no header', (tar) => Buffer.concat([Buffer.alloc(512, 'x'), tar])],
    ['a type that it has no word for', (tar) => written(tar, 'S', 156)],
    ['a number that is none', (tar) => written(tar, '9', 124)],
  ])('%s', (_, change) => {
    expect(() => parsed(change(archive(file(3))))).toThrow(/too early|the archive is not what rkt writes/);
  });
});
