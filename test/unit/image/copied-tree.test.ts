import { describe, expect, test } from 'vitest';
import { fromGuest, fromOperator } from '../../../src/image/copied-tree.ts';
import { ByteSource, type Entry, feedOf, TarReader } from '../../../src/image/tar/index.ts';
import * as tar from '../../support/tar-archive.ts';

async function entriesOf(stream: AsyncIterable<Uint8Array>): Promise<(Entry & { readonly text: string })[]> {
  const reader = new TarReader(new ByteSource(feedOf(stream)), { endMarker: 'required' });
  const entries: (Entry & { readonly text: string })[] = [];
  for await (const entry of reader.entries()) {
    const pieces: Uint8Array[] = [];
    for await (const { bytes } of reader.content()) pieces.push(Buffer.from(bytes));
    entries.push({ ...entry, text: Buffer.concat(pieces).toString() });
  }
  return entries;
}

async function* pieces(whole: Buffer, size = 100) {
  for (let at = 0; at < whole.length; at += size) yield whole.subarray(at, at + size);
}

const CAPABILITY = Buffer.from('0100000200200000000000000000000000000000', 'hex');
const GUESTS = tar.archive(
  tar.directory('d', { uid: 7, gid: 8, mode: 0o2775 }),
  tar.pax([
    ['SCHILY.xattr.security.capability', CAPABILITY],
    ['SCHILY.xattr.user.mark', 'kept'],
  ]),
  tar.file('d/program', 'content', { uid: 0, mode: 0o6755 }),
  tar.entry({ name: 'd/disk', type: '4', major: 8, minor: 0, mode: 0o666 }),
  tar.hardlink('d/other-disk', 'd/disk'),
  tar.entry({ name: 'd/fifo', type: '6', mode: 0o600 }),
  tar.symlink('d/link', '/etc/shadow'),
);

describe('of what a guest has archived', () => {
  test('nothing is a device of this host, nor a program of somebody else', async () => {
    const leftOut: string[] = [];
    const rules = { owner: { uid: 55, gid: 66 }, leftOut: (line: string) => leftOut.push(line) };
    const entries = await entriesOf(fromGuest(pieces(GUESTS), rules));
    expect(entries.map(({ path, kind, mode, uid, gid }) => [path, kind, mode.toString(8), uid, gid])).toEqual(
      [
        ['d/', 'directory', '775', 55, 66],
        ['d/program', 'file', '755', 55, 66],
        ['d/fifo', 'fifo', '600', 55, 66],
        ['d/link', 'symlink', '777', 55, 66],
      ],
    );
    expect(entries[1]).toMatchObject({
      text: 'content',
      xattrs: new Map([['user.mark', Buffer.from('kept')]]),
    });
    expect(leftOut).toEqual(['"d/disk" is left out: is a device', '"d/other-disk" is left out: is a device']);
  });

  test('owners and what goes with them stay where they are asked for', async () => {
    const entries = await entriesOf(fromGuest(pieces(GUESTS), { owner: undefined, leftOut: () => {} }));
    expect(entries[1]).toMatchObject({ uid: 0, mode: 0o6755 });
    expect([...(entries[1]?.xattrs.keys() ?? [])]).toEqual(['security.capability', 'user.mark']);
    expect(entries.map(({ kind }) => kind)).not.toContain('block');
  });

  test('any number of devices takes a hundred lines', async () => {
    const leftOut: string[] = [];
    const disks = Array.from({ length: 150 }, (_, at) =>
      tar.entry({ name: `disk-${at}`, type: '4', major: 8, minor: at }),
    );
    const many = pieces(tar.archive(...disks), 4096);
    await entriesOf(fromGuest(many, { owner: undefined, leftOut: (line) => leftOut.push(line) }));
    expect(leftOut).toHaveLength(101);
    expect(leftOut.at(-1)).toBe('further devices are left out');
  });

  test.each([
    ['cut short', GUESTS.subarray(0, 1500), /ends in the middle|no end marker/],
    ['rubbish', Buffer.alloc(2048, 'rubbish'), /checksum/],
    ['nothing', Buffer.alloc(0), /no end marker/],
  ])('%s is refused', async (_, bytes, message) => {
    const rules = { owner: undefined, leftOut: () => {} };
    await expect(entriesOf(fromGuest(pieces(bytes), rules))).rejects.toThrow(message);
  });
});

test('an operator’s tar keeps devices and owners, and attributes that images may have alone', async () => {
  const given = tar.archive(
    tar.entry({ name: 'null', type: '3', major: 1, minor: 3, mode: 0o666 }),
    tar.pax([
      ['SCHILY.xattr.security.selinux', 'label'],
      ['SCHILY.xattr.user.mark', 'kept'],
      ['SCHILY.xattr.trusted.overlay.redirect', '/etc'],
    ]),
    tar.file('file', 'content', { uid: 1000, mode: 0o4755 }),
  );
  const [device, file] = await entriesOf(fromOperator(pieces(given)));
  expect(device).toMatchObject({ kind: 'character', major: 1, minor: 3 });
  expect(file).toMatchObject({ uid: 1000, mode: 0o4755, text: 'content' });
  expect([...(file?.xattrs.keys() ?? [])]).toEqual(['user.mark']);
});
