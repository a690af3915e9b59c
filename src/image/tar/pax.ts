import { type ByteString, showBytes, toByteString } from './bytes.ts';
import type { Timestamp } from './entry.ts';
import { TarError } from './error.ts';
import type { TarLimits } from './limits.ts';

/** One record in its order: sparse maps of the first kind repeat a key. */
export interface PaxRecord {
  readonly key: ByteString;
  readonly value: Uint8Array;
}

const SPACE = 0x20;
const EQUALS = 0x3d;
const NEWLINE = 0x0a;

/** "LENGTH KEY=VALUE\n", the length in bytes and counting itself; values may hold anything, newlines and NULs too. */
export function parsePaxRecords(body: Uint8Array): PaxRecord[] {
  const records: PaxRecord[] = [];
  let at = 0;
  while (at < body.length) {
    const space = body.indexOf(SPACE, at);
    const digits = space === -1 ? '' : toByteString(body.subarray(at, space));
    const length = /^[0-9]{1,9}$/.test(digits) ? Number(digits) : 0;
    const end = at + length;
    const equals = body.indexOf(EQUALS, space);
    if (end > body.length || equals === -1 || equals >= end || body[end - 1] !== NEWLINE) {
      throw bad(`malformed record at byte ${at}`);
    }
    const key = toByteString(body.subarray(space + 1, equals));
    if (key === '') throw bad(`record without a key at byte ${at}`);
    records.push({ key, value: body.slice(equals + 1, end - 1) });
    at = end;
  }
  return records;
}

/** The attributes of one entry that records override; an absent one leaves the header's value in force. */
export interface PaxAttributes {
  readonly path?: ByteString;
  readonly linkPath?: ByteString;
  readonly size?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtime?: Timestamp;
  readonly xattrs: ReadonlyMap<ByteString, Uint8Array>;
  /** Keys that begin with `GNU.sparse.`, in their order. */
  readonly sparse: readonly PaxRecord[];
}

const XATTR = 'SCHILY.xattr.';
const SPARSE = 'GNU.sparse.';

/** An entry's records after the archive's global ones: the last of a key wins, an empty value takes it back. */
export function paxAttributes(records: readonly PaxRecord[], limits: TarLimits): PaxAttributes {
  const last = new Map<ByteString, Uint8Array>();
  const sparse: PaxRecord[] = [];
  for (const { key, value } of records) {
    if (key.startsWith(SPARSE)) sparse.push({ key, value });
    // An extended attribute may be empty; only the keywords of POSIX are taken back by an empty value.
    else if (value.length === 0 && !key.startsWith(XATTR)) last.delete(key);
    else last.set(key, value);
  }
  const path = name(last, 'path', limits);
  const linkPath = name(last, 'linkpath', limits);
  const size = integer(last, 'size');
  const uid = integer(last, 'uid');
  const gid = integer(last, 'gid');
  const mtime = last.get('mtime');
  return {
    ...(path === undefined ? {} : { path }),
    ...(linkPath === undefined ? {} : { linkPath }),
    ...(size === undefined ? {} : { size }),
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
    ...(mtime === undefined ? {} : { mtime: parseTime(toByteString(mtime)) }),
    xattrs: xattrsOf(last, limits),
    sparse,
  };
}

/** Keys that a global header may set: one that renamed or resized every entry would be a trick, not an archive. */
export function refuseGlobalNames(records: readonly PaxRecord[]): void {
  for (const { key } of records) {
    if (
      key === 'path' ||
      key === 'linkpath' ||
      key === 'size' ||
      key.startsWith(SPARSE) ||
      key.startsWith(XATTR)
    ) {
      throw bad(`global header sets ${showBytes(key)}`);
    }
  }
}

/** A decimal number of a pax record. @throws TarError bad-pax */
export function paxInteger(value: Uint8Array, key: string): number {
  const text = toByteString(value);
  const result = /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(result)) throw bad(`${key} is not a number: ${showBytes(text)}`);
  return result;
}

/** A name, which the archive ends where the file system would end it. */
export function paxName(value: Uint8Array, key: string, limits: TarLimits): ByteString {
  if (value.length > limits.name)
    throw new TarError('limit', `${key} has ${value.length} bytes, at most ${limits.name} are allowed`);
  if (value.includes(0)) throw bad(`${key} contains a NUL byte`);
  return toByteString(value);
}

function integer(last: ReadonlyMap<ByteString, Uint8Array>, key: string): number | undefined {
  const value = last.get(key);
  return value === undefined ? undefined : paxInteger(value, key);
}

function name(
  last: ReadonlyMap<ByteString, Uint8Array>,
  key: string,
  limits: TarLimits,
): ByteString | undefined {
  const value = last.get(key);
  return value === undefined ? undefined : paxName(value, key, limits);
}

function xattrsOf(last: ReadonlyMap<ByteString, Uint8Array>, limits: TarLimits): Map<ByteString, Uint8Array> {
  const xattrs = new Map<ByteString, Uint8Array>();
  let bytes = 0;
  for (const [key, value] of last) {
    if (!key.startsWith(XATTR)) continue;
    bytes += key.length + value.length;
    if (bytes > limits.xattrs)
      throw new TarError('limit', `extended attributes of more than ${limits.xattrs} bytes`);
    xattrs.set(key.slice(XATTR.length), value);
  }
  return xattrs;
}

function parseTime(text: ByteString): Timestamp {
  const match = /^(-?)([0-9]{1,15})(?:\.([0-9]*))?$/.exec(text);
  if (match === null) throw bad(`mtime is not a time: ${showBytes(text)}`);
  const [, sign = '', whole = '', fraction = ''] = match;
  const seconds = Number(whole);
  const nanoseconds = Number(fraction.slice(0, 9).padEnd(9, '0'));
  if (sign === '') return { seconds, nanoseconds };
  return nanoseconds === 0
    ? { seconds: -seconds, nanoseconds }
    : { seconds: -seconds - 1, nanoseconds: 1e9 - nanoseconds };
}

function bad(message: string): TarError {
  return new TarError('bad-pax', `pax header: ${message}`);
}
