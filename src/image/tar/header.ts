import { type ByteString, showBytes, toByteString } from './bytes.ts';
import { TarError } from './error.ts';

export const BLOCK = 512;

const SPACE = 0x20;
const ZERO = 0x30;
const SEVEN = 0x37;

/** One 512-byte header as it stands, before extended headers have had their say. */
export interface Header {
  readonly name: ByteString;
  readonly linkName: ByteString;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes that follow the header, without padding. */
  readonly size: number;
  readonly mtime: number;
  /** The type flag as a character; NUL for the oldest archives. */
  readonly type: string;
  readonly major: number;
  readonly minor: number;
  readonly format: 'v7' | 'ustar' | 'gnu';
  /** The block itself, where old GNU sparse maps begin. */
  readonly block: Uint8Array;
}

export function isZeroBlock(block: Uint8Array): boolean {
  return block.every((byte) => byte === 0);
}

/** POSIX.1-2017 pax, "ustar Interchange Format", and GNU tar's own. @throws TarError bad-header */
export function parseHeader(source: Uint8Array): Header {
  const block = new Uint8Array(source);
  verifyChecksum(block);
  const format = formatOf(block);
  const device = format !== 'v7';
  return {
    name: nameOf(block, format),
    linkName: text(block, 157, 100),
    mode: number(block, 100, 8, 'mode') & 0o7777,
    uid: number(block, 108, 8, 'uid'),
    gid: number(block, 116, 8, 'gid'),
    size: number(block, 124, 12, 'size'),
    mtime: signedNumber(block, 136, 12, 'mtime'),
    type: String.fromCharCode(block[156] ?? 0),
    major: device ? number(block, 329, 8, 'device major') : 0,
    minor: device ? number(block, 337, 8, 'device minor') : 0,
    format,
    block,
  };
}

function formatOf(block: Uint8Array): Header['format'] {
  const magic = toByteString(block.subarray(257, 265));
  if (magic === 'ustar  \0') return 'gnu';
  return magic.startsWith('ustar') ? 'ustar' : 'v7';
}

function nameOf(block: Uint8Array, format: Header['format']): ByteString {
  const name = text(block, 0, 100);
  const prefix = format === 'ustar' ? text(block, 345, 155) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

function text(block: Uint8Array, start: number, length: number): ByteString {
  const field = block.subarray(start, start + length);
  const end = field.indexOf(0);
  return toByteString(end === -1 ? field : field.subarray(0, end));
}

// Both sums are in the wild: some old programs added the bytes as signed.
function verifyChecksum(block: Uint8Array): void {
  let unsigned = 8 * 0x20;
  let signed = unsigned;
  for (let at = 0; at < BLOCK; at++) {
    if (at >= 148 && at < 156) continue;
    const byte = block[at] ?? 0;
    unsigned += byte;
    signed += byte < 128 ? byte : byte - 256;
  }
  const stated = number(block, 148, 8, 'checksum');
  if (stated !== unsigned && stated !== signed)
    throw bad('header checksum does not match: not a tar, or damaged');
}

/** A number field: octal text, or base-256 where its first bit is set. @throws TarError bad-header when negative */
export function number(block: Uint8Array, start: number, length: number, field: string): number {
  const value = signedNumber(block, start, length, field);
  if (value < 0) throw bad(`${field} is negative: ${value}`);
  return value;
}

function signedNumber(block: Uint8Array, start: number, length: number, field: string): number {
  const bytes = block.subarray(start, start + length);
  return (bytes[0] ?? 0) & 0x80 ? base256(bytes, field) : octal(bytes, field);
}

function base256(bytes: Uint8Array, field: string): number {
  const negative = ((bytes[0] ?? 0) & 0x40) !== 0;
  // Starting from -1 extends the sign of a two's complement number.
  let value = negative ? -1n : 0n;
  bytes.forEach((byte, at) => {
    // The first byte carries the marker bit, which a negative number has set anyway.
    value = value * 256n + BigInt(at === 0 && !negative ? byte & 0x7f : byte);
  });
  const result = Number(value);
  if (!Number.isSafeInteger(result)) throw bad(`${field} is out of range: ${value}`);
  return result;
}

/** Digits between spaces and NULs; what follows them counts for nothing, and no digits are 0. */
function octal(bytes: Uint8Array, field: string): number {
  let value = 0;
  let started = false;
  for (const byte of bytes) {
    if (byte === SPACE || byte === 0) {
      if (started) break;
      continue;
    }
    if (byte < ZERO || byte > SEVEN)
      throw bad(`${field} is not an octal number: ${showBytes(toByteString(bytes))}`);
    started = true;
    value = value * 8 + byte - ZERO;
  }
  return value;
}

function bad(message: string): TarError {
  return new TarError('bad-header', message);
}
