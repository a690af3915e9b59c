/** Forms, as browsers and `curl --data` send them (application/x-www-form-urlencoded), and paths. Values are bytes: what a pod has signed may be any. Pure. */
import { utf8Decode, utf8Encode } from '../../src/native/engine.ts';

const PLUS = 0x2b;
const PERCENT = 0x25;
const SPACE = 0x20;
const EQUALS = 0x3d;
const AMPERSAND = 0x26;

/** The first value of each name. */
export function parseForm(form: Uint8Array): Map<string, Uint8Array> {
  const values = new Map<string, Uint8Array>();
  for (let at = 0; at < form.length; ) {
    const end = indexOf(form, AMPERSAND, at, form.length);
    const equals = indexOf(form, EQUALS, at, end);
    const name = utf8Decode(unescapeField(form.subarray(at, equals)));
    if (!values.has(name))
      values.set(name, unescapeField(form.subarray(equals + 1, Math.max(end, equals + 1))));
    at = end + 1;
  }
  return values;
}

/** `end` where the byte does not come before. */
function indexOf(bytes: Uint8Array, byte: number, start: number, end: number): number {
  const found = bytes.indexOf(byte, start);
  return found === -1 || found > end ? end : found;
}

function unescapeField(bytes: Uint8Array): Uint8Array {
  return unescapeBytes(bytes.map((byte) => (byte === PLUS ? SPACE : byte)));
}

/** Of a part of a path. */
export function unescapePath(text: string): string {
  return utf8Decode(unescapeBytes(utf8Encode(text)));
}

/** A percent sign without two digits behind it stands for itself. */
function unescapeBytes(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length);
  let length = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    const [high, low] = [digit(bytes[at + 1]), digit(bytes[at + 2])];
    const isEscape = byte === PERCENT && high !== undefined && low !== undefined;
    out[length++] = isEscape ? 16 * high + low : byte;
    if (isEscape) at += 2;
  }
  return out.subarray(0, length);
}

function digit(byte: number | undefined): number | undefined {
  const value = byte === undefined ? Number.NaN : Number.parseInt(String.fromCharCode(byte), 16);
  return Number.isNaN(value) ? undefined : value;
}
