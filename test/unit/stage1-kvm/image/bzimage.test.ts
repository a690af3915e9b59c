import { describe, expect, it } from 'vitest';
import { parseBzImage } from '../../../../stage1-kvm/image/bzimage.ts';

const zstdMagic = 0xfd2fb528;

function bzImage(change: (view: DataView) => void = () => undefined): Uint8Array {
  const image = new Uint8Array(4096);
  const view = new DataView(image.buffer);
  view.setUint8(0x1f1, 3);
  image.set(Buffer.from('HdrS'), 0x202);
  view.setUint16(0x206, 0x20f, true);
  view.setUint32(0x248, 16, true);
  view.setUint32(0x24c, 100, true);
  view.setUint32(4 * 512 + 16, zstdMagic, true);
  view.setUint32(4 * 512 + 16 + 96, 12345, true);
  change(view);
  return image;
}

describe('parseBzImage', () => {
  it('finds the payload and the size it unpacks to', () => {
    const { zstd, unpackedSize } = parseBzImage(bzImage());
    expect([zstd.byteOffset, zstd.byteLength, unpackedSize]).toEqual([4 * 512 + 16, 96, 12345]);
  });

  it('takes no set-up sectors for four, as the boot protocol says', () => {
    const image = bzImage((view) => {
      view.setUint8(0x1f1, 0);
      view.setUint32(5 * 512 + 16, zstdMagic, true);
    });
    expect(parseBzImage(image).zstd.byteOffset).toBe(5 * 512 + 16);
  });

  it.each([
    ['the setup header is missing', (view: DataView) => view.setUint32(0x202, 0)],
    ['has no payload fields', (view: DataView) => view.setUint16(0x206, 0x207, true)],
    ['not compressed with zstd', (view: DataView) => view.setUint32(4 * 512 + 16, 0)],
    ['payload ends at', (view: DataView) => view.setUint32(0x24c, 1 << 20, true)],
  ])('says when %s', (message, change) => {
    expect(() => parseBzImage(bzImage(change))).toThrow(message);
  });

  it('refuses an empty file', () => {
    expect(() => parseBzImage(new Uint8Array())).toThrow(/no bzImage/);
  });
});
