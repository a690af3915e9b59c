/** Reads what `formatTarEntry` has written, and nothing else: for programs whose archives come from rkt itself. */
import { AbiError } from './json.ts';
import { type ByteString, type Region, TAR_BLOCK, type TarEntry, type Timestamp, tarPadding } from './tar.ts';

/** Gives exactly so many bytes, or throws. */
export type ReadBytes = (length: number) => Uint8Array;

const KINDS: Readonly<Record<string, TarEntry['kind']>> = {
  '0': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
};
const MOST_EXTENSION = 4 * 1024 * 1024;
const MOST_REGIONS = 65_536;

/**
 * The next entry; undefined at the archive's end. Behind it come a file's stored bytes, region by region, and padding: they are
 * the caller's to read. @throws AbiError `bad-message`
 */
export function parseTarEntry(read: ReadBytes): TarEntry | undefined {
  let records: ReadonlyMap<ByteString, ByteString> = new Map();
  for (;;) {
    const block = read(TAR_BLOCK);
    if (block.every((byte) => byte === 0)) {
      read(TAR_BLOCK);
      return undefined;
    }
    if (text(block, 257, 6) !== 'ustar') throw bad('a header is no header');
    const type = String.fromCharCode(block[156] ?? 0);
    if (type !== 'x') return entryOf(block, type, records, read);
    const size = octal(block, 124, 12);
    if (size > MOST_EXTENSION) throw bad(`an extended header of ${size} bytes`);
    records = paxRecords(latin1(read(size)));
    read(tarPadding(size));
  }
}

function entryOf(
  block: Uint8Array,
  type: string,
  records: ReadonlyMap<ByteString, ByteString>,
  read: ReadBytes,
): TarEntry {
  const number = (key: string, at: number, length: number) => {
    const record = records.get(key);
    return record === undefined ? octal(block, at, length) : decimal(record);
  };
  const kind = KINDS[type];
  const metadata = {
    path: records.get('GNU.sparse.name') ?? records.get('path') ?? text(block, 0, 100),
    mode: octal(block, 100, 8),
    uid: number('uid', 108, 8),
    gid: number('gid', 116, 8),
    mtime: timeOf(records.get('mtime')) ?? { seconds: octal(block, 136, 12), nanoseconds: 0 },
    xattrs: xattrsOf(records),
  };
  const target = records.get('linkpath') ?? text(block, 157, 100);
  switch (kind) {
    case undefined:
      throw bad(`an entry of type ${JSON.stringify(type)}`);
    case 'file': {
      const stored = number('size', 124, 12);
      const real = records.get('GNU.sparse.realsize');
      if (real !== undefined) return { ...metadata, kind, size: decimal(real), regions: sparseMap(read) };
      return {
        ...metadata,
        kind,
        size: stored,
        regions: stored === 0 ? [] : [{ offset: 0, length: stored }],
      };
    }
    case 'symlink':
    case 'hardlink':
      return { ...metadata, kind, target };
    case 'character':
    case 'block':
      return { ...metadata, kind, major: octal(block, 329, 8), minor: octal(block, 337, 8) };
    default:
      return { ...metadata, kind };
  }
}

function xattrsOf(records: ReadonlyMap<ByteString, ByteString>): Map<ByteString, Uint8Array> {
  const prefix = 'SCHILY.xattr.';
  const xattrs = new Map<ByteString, Uint8Array>();
  for (const [key, value] of records) {
    if (!key.startsWith(prefix)) continue;
    const bytes = new Uint8Array(value.length);
    for (let at = 0; at < value.length; at++) bytes[at] = value.charCodeAt(at);
    xattrs.set(key.slice(prefix.length), bytes);
  }
  return xattrs;
}

/** Lines of numbers before the content: how many regions, then offset and length of each. */
function sparseMap(read: ReadBytes): Region[] {
  let lines = '';
  const numbers = (): string[] => lines.split('\n').slice(0, -1);
  let count = Number.POSITIVE_INFINITY;
  // Whole blocks: padding follows the last number, so that reading ends exactly at the content.
  while (numbers().length < 1 + 2 * count) {
    lines += text(read(TAR_BLOCK), 0, TAR_BLOCK);
    const [first] = numbers();
    if (first !== undefined) count = decimal(first);
    if (count !== Number.POSITIVE_INFINITY && count > MOST_REGIONS) throw bad(`${count} regions of a file`);
  }
  const [, ...pairs] = numbers().map(decimal);
  const regions: Region[] = [];
  for (let at = 0; at < pairs.length; at += 2) {
    const [offset = 0, length = 0] = [pairs[at], pairs[at + 1]];
    if (length > 0) regions.push({ offset, length });
  }
  return regions;
}

function paxRecords(body: ByteString): Map<ByteString, ByteString> {
  const records = new Map<ByteString, ByteString>();
  for (let at = 0; at < body.length; ) {
    const length = Number.parseInt(body.slice(at, body.indexOf(' ', at)), 10);
    if (!(length > 0) || at + length > body.length) throw bad('a record of an extended header');
    const record = body.slice(body.indexOf(' ', at) + 1, at + length - 1);
    const equals = record.indexOf('=');
    records.set(record.slice(0, equals), record.slice(equals + 1));
    at += length;
  }
  return records;
}

function timeOf(value: ByteString | undefined): Timestamp | undefined {
  const match = /^(-?)(\d+)(?:\.(\d{1,9}))?$/.exec(value ?? '');
  if (match === null) return undefined;
  const seconds = Number(match[2]);
  const nanoseconds = Number((match[3] ?? '').padEnd(9, '0'));
  if (match[1] === '') return { seconds, nanoseconds };
  // The fraction of a negative time counts downwards.
  return nanoseconds === 0
    ? { seconds: -seconds, nanoseconds }
    : { seconds: -seconds - 1, nanoseconds: 1_000_000_000 - nanoseconds };
}

function octal(block: Uint8Array, at: number, length: number): number {
  const digits = text(block, at, length).trim();
  if (!/^[0-7]*$/.test(digits)) throw bad(`a number ${JSON.stringify(digits)}`);
  return digits === '' ? 0 : Number.parseInt(digits, 8);
}

function decimal(digits: ByteString): number {
  const value = /^\d{1,16}$/.test(digits) ? Number(digits) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw bad(`a number ${JSON.stringify(digits.slice(0, 20))}`);
  return value;
}

/** Up to the first NUL. */
function text(block: Uint8Array, at: number, length: number): ByteString {
  const field = block.subarray(at, at + length);
  const end = field.indexOf(0);
  return latin1(end === -1 ? field : field.subarray(0, end));
}

/** At once where that is little: an argument list can be that long on any stack. */
function latin1(bytes: Uint8Array): ByteString {
  let all = '';
  for (let at = 0; at < bytes.length; at += TAR_BLOCK)
    all += String.fromCharCode(...bytes.subarray(at, at + TAR_BLOCK));
  return all;
}

function bad(what: string): AbiError {
  return new AbiError('bad-message', `the archive is not what rkt writes: ${what}`);
}
