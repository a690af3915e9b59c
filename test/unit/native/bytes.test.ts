import { describe, expect, it } from 'vitest';
import { concat, Packer, Unpacker } from '../../../src/native/bytes.ts';
import { nativeScratch } from '../../support/native-scratch.ts';

nativeScratch();

describe('Packer', () => {
  it('writes fields little endian, in order, growing as it must', () => {
    const bytes = new Packer(1).u8(1).u16(0x0203).u32(0x04050607).u64(0x08090a0b0c0d).finish();
    expect([...bytes]).toEqual([1, 3, 2, 7, 6, 5, 4, 0x0d, 0x0c, 0x0b, 0x0a, 9, 8, 0, 0]);
  });

  it('writes network order where asked', () => {
    expect([...new Packer().u16be(0x0102).finish()]).toEqual([1, 2]);
  });

  it('writes negative numbers and the absence of a limit as 64 bits', () => {
    expect([...new Packer().u64(-100).finish()]).toEqual([156, 255, 255, 255, 255, 255, 255, 255]);
    expect([...new Packer().u64(Number.POSITIVE_INFINITY).finish()]).toEqual(new Array(8).fill(255));
  });

  it('pads text and refuses what does not fit with its NUL', () => {
    expect([...new Packer().text('ab', 4).finish()]).toEqual([97, 98, 0, 0]);
    expect(() => new Packer().text('abcd', 4)).toThrow("'abcd' is longer than 3 bytes");
  });

  it('aligns and patches', () => {
    expect([...new Packer().u8(1).align(4).u8(2).patchU16(1, 0x0504).finish()]).toEqual([1, 4, 5, 0, 2]);
  });
});

describe('Unpacker', () => {
  it('reads what Packer wrote', () => {
    const written = new Packer()
      .u8(1)
      .u16(2)
      .u16be(3)
      .u32(4)
      .u64(2 ** 53 - 1)
      .u64(-5)
      .text('x', 3)
      .finish();
    const read = new Unpacker(written);
    expect([read.u8(), read.u16(), read.u16be(), read.u32(), read.u64(), read.i64()]).toEqual([
      1,
      2,
      3,
      4,
      2 ** 53 - 1,
      -5,
    ]);
    expect([read.text(3), read.remaining]).toEqual(['x', 0]);
  });

  it('reads all ones as no limit', () => {
    expect(new Unpacker(new Uint8Array(8).fill(255)).u64()).toBe(Number.POSITIVE_INFINITY);
  });

  it('honours the offset of a view, and never reads past its end', () => {
    const part = new Uint8Array([9, 9, 1, 2, 9]).subarray(2, 4);
    const read = new Unpacker(part);
    expect(read.u16()).toBe(0x0201);
    expect(() => read.u8()).toThrow('1 bytes wanted at 2 of 2');
    expect(() => new Unpacker(part).take(3)).toThrow(RangeError);
  });
});

it('joins byte arrays', () => {
  expect([...concat([new Uint8Array([1]), new Uint8Array(0), new Uint8Array([2, 3])])]).toEqual([1, 2, 3]);
});
