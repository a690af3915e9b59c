/** Netlink attributes: length, type, bytes, padded to four. */
import { Packer, Unpacker } from '../bytes.ts';
import { utf8Decode, utf8Encode } from '../engine.ts';

const HEADER = 4;
const NESTED = 0x8000;
const TYPE_MASK = 0x3fff;

export type Attributes = ReadonlyMap<number, Uint8Array>;

export function attribute(type: number, value: Uint8Array): Uint8Array {
  return new Packer(HEADER + value.length)
    .u16(HEADER + value.length)
    .u16(type)
    .bytes(value)
    .align(4)
    .finish();
}

export function u32Attribute(type: number, value: number): Uint8Array {
  return attribute(type, new Packer(4).u32(value).finish());
}

export function u16Attribute(type: number, value: number): Uint8Array {
  return attribute(type, new Packer(2).u16(value).finish());
}

export function u8Attribute(type: number, value: number): Uint8Array {
  return attribute(type, new Packer(1).u8(value).finish());
}

/** Text with its NUL. */
export function textAttribute(type: number, text: string): Uint8Array {
  return attribute(type, utf8Encode(`${text}\0`));
}

export function nestedAttribute(type: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const inside = new Packer();
  for (const part of parts) inside.bytes(part);
  return attribute(type | NESTED, inside.finish());
}

interface Attribute {
  readonly type: number;
  readonly value: Uint8Array;
}

/** All of one level, in their order: some types come several times. */
export function eachAttribute(bytes: Uint8Array): Attribute[] {
  const found: Attribute[] = [];
  for (let at = 0; at + HEADER <= bytes.length; ) {
    const fields = new Unpacker(bytes, at);
    const length = fields.u16();
    const type = fields.u16() & TYPE_MASK;
    if (length < HEADER) break;
    found.push({ type, value: fields.take(length - HEADER) });
    at += (length + 3) & ~3;
  }
  return found;
}

/** Of one level; the last of each type counts. */
export function parseAttributes(bytes: Uint8Array): Attributes {
  return new Map(eachAttribute(bytes).map(({ type, value }) => [type, value]));
}

export function u32Of(attributes: Attributes, type: number): number | undefined {
  const value = attributes.get(type);
  return value === undefined ? undefined : new Unpacker(value).u32();
}

export function u16Of(attributes: Attributes, type: number): number | undefined {
  const value = attributes.get(type);
  return value === undefined ? undefined : new Unpacker(value).u16();
}

export function textOf(attributes: Attributes, type: number): string | undefined {
  const value = attributes.get(type);
  if (value === undefined) return undefined;
  const end = value.indexOf(0);
  return utf8Decode(end === -1 ? value : value.subarray(0, end));
}
