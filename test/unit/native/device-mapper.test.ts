import { describe, expect, it } from 'vitest';
import { minorOf, order } from '../../../src/native/device-mapper.ts';

const u32 = (bytes: Uint8Array, at: number) =>
  new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
const text = (bytes: Uint8Array, at: number, length: number) =>
  Buffer.from(bytes.subarray(at, at + length)).toString();

describe('an order to the device mapper', () => {
  it('is a struct dm_ioctl of 312 bytes, its own length in it', () => {
    const bytes = order('image-0', { flags: 1 });
    expect([bytes.length, u32(bytes, 0), u32(bytes, 12), u32(bytes, 20), u32(bytes, 28)]).toEqual([
      312, 4, 312, 0, 1,
    ]);
    expect(text(bytes, 48, 9)).toBe('image-0\0\0');
  });

  it('has the target behind it, in whole words', () => {
    const bytes = order('x', { flags: 1, target: { type: 'verity', sectors: 24, parameters: '1 /dev/vda' } });
    expect([bytes.length % 8, u32(bytes, 12), u32(bytes, 16), u32(bytes, 20)]).toEqual([
      0,
      bytes.length,
      312,
      1,
    ]);
    expect([u32(bytes, 312), u32(bytes, 320)]).toEqual([0, 24]);
    expect(text(bytes, 336, 7)).toBe('verity\0');
    expect(text(bytes, 352, 11)).toBe('1 /dev/vda\0');
  });
});

describe('minorOf', () => {
  it.each([
    [0xfd00, 0],
    [0xfd07, 7],
    [0x10fd01, 257],
  ])('takes a minor number of any size out of %i', (device, minor) => {
    expect(minorOf(device)).toBe(minor);
  });
});
