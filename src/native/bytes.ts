/** Reading and writing C structures: little endian, fields in order, padding written out. */
import { utf8Decode, utf8Encode } from './engine.ts';

const TWO_32 = 2 ** 32;

/** Grows as it is written. */
export class Packer {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  constructor(capacity = 64) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#length;
  }

  u8(value: number): this {
    const at = this.#take(1);
    this.#view.setUint8(at, value);
    return this;
  }

  u16(value: number): this {
    const at = this.#take(2);
    this.#view.setUint16(at, value, true);
    return this;
  }

  /** Network order, as ports and Ethernet protocols are. */
  u16be(value: number): this {
    const at = this.#take(2);
    this.#view.setUint16(at, value, false);
    return this;
  }

  u32(value: number): this {
    const at = this.#take(4);
    this.#view.setUint32(at, value, true);
    return this;
  }

  /** Signed or unsigned up to 2^53; Infinity is all ones, the kernel's "no limit". */
  u64(value: number): this {
    const at = this.#take(8);
    if (value === Number.POSITIVE_INFINITY) {
      this.#view.setUint32(at, 0xffffffff, true);
      this.#view.setUint32(at + 4, 0xffffffff, true);
    } else {
      this.#view.setUint32(at, value % TWO_32, true);
      this.#view.setInt32(at + 4, Math.floor(value / TWO_32), true);
    }
    return this;
  }

  bytes(value: ArrayLike<number>): this {
    const at = this.#take(value.length);
    this.#bytes.set(value, at);
    return this;
  }

  /** Text in a field of fixed size, with room for at least one NUL. */
  text(value: string, size: number): this {
    const encoded = utf8Encode(value);
    if (encoded.length >= size) throw new RangeError(`'${value}' is longer than ${size - 1} bytes`);
    return this.bytes(encoded).zeros(size - encoded.length);
  }

  zeros(count: number): this {
    this.#take(count);
    return this;
  }

  align(boundary: number): this {
    return this.zeros((boundary - (this.#length % boundary)) % boundary);
  }

  /** Overwrites a field that was written before its value was known. */
  patchU16(at: number, value: number): this {
    this.#view.setUint16(at, value, true);
    return this;
  }

  patchU32(at: number, value: number): this {
    this.#view.setUint32(at, value, true);
    return this;
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  /** Where the next `count` bytes go. To be called before `#view` is looked at: it may be replaced. */
  #take(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return at;
  }
}

/** Reading past the end throws a RangeError, whoever wrote the bytes. */
export class Unpacker {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  offset: number;

  constructor(bytes: Uint8Array, offset = 0) {
    this.bytes = bytes;
    this.offset = offset;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get remaining(): number {
    return this.bytes.length - this.offset;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  u16be(): number {
    return this.#view.getUint16(this.#take(2), false);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  i32(): number {
    return this.#view.getInt32(this.#take(4), true);
  }

  /** Exact up to 2^53; all ones is Infinity. */
  u64(): number {
    const low = this.u32();
    const high = this.u32();
    if (low === 0xffffffff && high === 0xffffffff) return Number.POSITIVE_INFINITY;
    return high * TWO_32 + low;
  }

  i64(): number {
    const low = this.u32();
    return this.i32() * TWO_32 + low;
  }

  take(count: number): Uint8Array {
    const at = this.#take(count);
    return this.bytes.slice(at, at + count);
  }

  /** Text up to the first NUL of a field of `size` bytes. */
  text(size: number): string {
    const field = this.take(size);
    const end = field.indexOf(0);
    return utf8Decode(end === -1 ? field : field.subarray(0, end));
  }

  skip(count: number): this {
    this.#take(count);
    return this;
  }

  #take(count: number): number {
    const at = this.offset;
    if (count < 0 || at + count > this.bytes.length) {
      throw new RangeError(`${count} bytes wanted at ${at} of ${this.bytes.length}`);
    }
    this.offset += count;
    return at;
  }
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
