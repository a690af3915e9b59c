/**
 * The tar archives that rkt writes: pax (POSIX.1-2017, "pax Interchange Format"), sparse files in GNU's format 1.0, extended
 * attributes as `SCHILY.xattr.*`. Compiled programs write them and the `rkt` command reads them, and the other way around.
 */

/** Bytes as a string, one character (U+0000 to U+00FF) a byte: names need not be UTF-8. */
export type ByteString = string;

/** Seconds since 1970, possibly negative, and nanoseconds counted upwards from there. */
export interface Timestamp {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** Where stored bytes lie in a sparse file; everything between regions is a hole. */
export interface Region {
  readonly offset: number;
  readonly length: number;
}

export interface TarMetadata {
  /** As the archive has it: nothing is cleaned or refused at this level. */
  readonly path: ByteString;
  /** Permission bits with setuid, setgid and sticky (07777). */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: Timestamp;
  readonly xattrs: ReadonlyMap<ByteString, Uint8Array>;
}

export type TarEntry = TarMetadata &
  (
    | { readonly kind: 'file'; readonly size: number; readonly regions: readonly Region[] }
    | { readonly kind: 'directory' }
    | { readonly kind: 'symlink'; readonly target: ByteString }
    | { readonly kind: 'hardlink'; readonly target: ByteString }
    | { readonly kind: 'character' | 'block'; readonly major: number; readonly minor: number }
    | { readonly kind: 'fifo' }
  );

export const TAR_BLOCK = 512;
export const TAR_END: Uint8Array = new Uint8Array(2 * TAR_BLOCK);

const NAME_BYTES = 100;
const MOST_ID = 0o7777777;
const MOST_SIZE = 0o77777777777;
const SPACE = 0x20;
const TYPES: Readonly<Record<TarEntry['kind'], string>> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  fifo: '6',
};

/** Bytes that follow content of this length, so that the next header begins a block. */
export function tarPadding(length: number): number {
  return (TAR_BLOCK - (length % TAR_BLOCK)) % TAR_BLOCK;
}

/** The blocks before an entry's content. Behind them belong a file's stored bytes, region by region, and padding. */
export function formatTarEntry(entry: TarEntry): Uint8Array {
  const map = sparseMap(entry);
  const size = bodyLength(entry) + map.length;
  const link = 'target' in entry ? entry.target : '';
  // A directory is told by its slash, too: the oldest readers know no other way.
  const path = entry.kind === 'directory' && !entry.path.endsWith('/') ? `${entry.path}/` : entry.path;
  const records = paxRecords(entry, path, link, size, map.length > 0);
  const own = header({ entry, path: map.length > 0 ? sparseName(path) : path, link, size });
  if (records.length === 0) return join([own, map]);
  const body = bytesOf(records.join(''));
  const before = header(
    { entry: EXTENSION, path: `PaxHeaders/${lastOf(path)}`, link: '', size: body.length },
    'x',
  );
  return join([before, body, new Uint8Array(tarPadding(body.length)), own, map]);
}

/** Bytes of content that follow a header and its sparse map. */
export function bodyLength(entry: TarEntry): number {
  return entry.kind === 'file' ? entry.regions.reduce((sum, { length }) => sum + length, 0) : 0;
}

const EXTENSION: TarEntry = {
  kind: 'fifo',
  path: '',
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtime: { seconds: 0, nanoseconds: 0 },
  xattrs: new Map(),
};

function isSparse(entry: TarEntry & { kind: 'file' }): boolean {
  const [first] = entry.regions;
  const isWhole = entry.regions.length === 1 && first?.offset === 0 && first.length === entry.size;
  return entry.size > 0 && !isWhole;
}

function sparseMap(entry: TarEntry): Uint8Array {
  if (entry.kind !== 'file' || !isSparse(entry)) return new Uint8Array(0);
  const { regions, size } = entry;
  const last = regions.at(-1);
  // Where the file ends in a hole its end is said by a region of nothing, as GNU tar does.
  const closed =
    last === undefined || last.offset + last.length < size
      ? [...regions, { offset: size, length: 0 }]
      : regions;
  const text = [closed.length, ...closed.flatMap(({ offset, length }) => [offset, length])].join('\n');
  const lines = bytesOf(`${text}\n`);
  return join([lines, new Uint8Array(tarPadding(lines.length))]);
}

function sparseName(path: ByteString): ByteString {
  return `GNUSparseFile.0/${lastOf(path)}`;
}

function lastOf(path: ByteString): ByteString {
  return (path.replace(/\/+$/, '').split('/').at(-1) ?? '').slice(0, NAME_BYTES - 'GNUSparseFile.0/'.length);
}

function paxRecords(
  entry: TarEntry,
  path: ByteString,
  link: ByteString,
  size: number,
  sparse: boolean,
): string[] {
  const records: string[] = [];
  const add = (key: ByteString, value: ByteString) => records.push(paxRecord(key, value));
  const { seconds, nanoseconds } = entry.mtime;
  if (sparse && entry.kind === 'file') {
    add('GNU.sparse.major', '1');
    add('GNU.sparse.minor', '0');
    add('GNU.sparse.name', path);
    add('GNU.sparse.realsize', String(entry.size));
  } else if (path.length > NAME_BYTES) add('path', path);
  if (link.length > NAME_BYTES) add('linkpath', link);
  if (size > MOST_SIZE) add('size', String(size));
  if (entry.uid > MOST_ID) add('uid', String(entry.uid));
  if (entry.gid > MOST_ID) add('gid', String(entry.gid));
  if (nanoseconds !== 0 || seconds < 0 || seconds > MOST_SIZE) add('mtime', decimalTime(entry.mtime));
  for (const [name, value] of entry.xattrs) add(`SCHILY.xattr.${name}`, latin1(value));
  return records;
}

/** "LENGTH KEY=VALUE\n", the length in bytes and counting itself. */
function paxRecord(key: ByteString, value: ByteString): ByteString {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return `${length}${rest}`;
}

/** A negative time's fraction counts downwards in pax. */
function decimalTime({ seconds, nanoseconds }: Timestamp): string {
  const fraction = (count: number) => (count === 0 ? '' : `.${String(count).padStart(9, '0')}`);
  if (seconds >= 0 || nanoseconds === 0) return `${seconds}${fraction(nanoseconds)}`;
  return `-${-(seconds + 1)}${fraction(1_000_000_000 - nanoseconds)}`;
}

interface HeaderFields {
  readonly entry: TarEntry;
  readonly path: ByteString;
  readonly link: ByteString;
  readonly size: number;
}

function header({ entry, path, link, size }: HeaderFields, type = TYPES[entry.kind]): Uint8Array {
  const block = new Uint8Array(TAR_BLOCK);
  // Of its own field eight blanks count.
  let sum = 8 * SPACE;
  const put = (at: number, text: ByteString) => {
    for (let index = 0; index < text.length; index++) {
      const byte = text.charCodeAt(index);
      block[at + index] = byte;
      sum += byte;
    }
  };
  const octal = (value: number, digits: number, most: number) =>
    (value > most || value < 0 ? 0 : value).toString(8).padStart(digits, '0');
  put(0, path.slice(0, NAME_BYTES));
  put(100, octal(entry.mode, 7, MOST_ID));
  put(108, octal(entry.uid, 7, MOST_ID));
  put(116, octal(entry.gid, 7, MOST_ID));
  put(124, octal(size, 11, MOST_SIZE));
  put(136, octal(entry.mtime.seconds, 11, MOST_SIZE));
  put(156, type);
  put(157, link.slice(0, NAME_BYTES));
  put(257, 'ustar\x0000');
  if (entry.kind === 'character' || entry.kind === 'block') {
    put(329, octal(entry.major, 7, MOST_ID));
    put(337, octal(entry.minor, 7, MOST_ID));
  }
  put(148, `${sum.toString(8).padStart(6, '0')}\0 `);
  return block;
}

function bytesOf(text: ByteString): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

function latin1(bytes: Uint8Array): ByteString {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
