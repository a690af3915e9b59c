import { ImageBuildError } from '../../tools/stage1/error.ts';

// Offsets in the setup header (Documentation/arch/x86/boot.rst).
const setupSectors = 0x1f1;
const magicOffset = 0x202;
const protocolVersion = 0x206;
const payloadOffset = 0x248;
const payloadLength = 0x24c;
const sector = 512;
const firstWithPayload = 0x208;
const zstdMagic = 0xfd2fb528;

/** The compressed kernel inside a bzImage, and the size it unpacks to. */
export type Payload = { readonly zstd: Uint8Array; readonly unpackedSize: number };

/** Finds the ZSTD payload of a bzImage by its setup header; throws BAD_KERNEL for anything else. */
export function parseBzImage(image: Uint8Array): Payload {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const magic =
    image.byteLength > sector * 2 ? Buffer.from(image.subarray(magicOffset, magicOffset + 4)).toString() : '';
  if (magic !== 'HdrS') throw new ImageBuildError('BAD_KERNEL', 'no bzImage: the setup header is missing');
  const version = view.getUint16(protocolVersion, true);
  if (version < firstWithPayload) {
    throw new ImageBuildError('BAD_KERNEL', `boot protocol 0x${version.toString(16)} has no payload fields`);
  }
  const start = ((view.getUint8(setupSectors) || 4) + 1) * sector + view.getUint32(payloadOffset, true);
  const end = start + view.getUint32(payloadLength, true);
  if (end > image.byteLength || end - start < 8) {
    throw new ImageBuildError('BAD_KERNEL', `payload ends at ${end}, the image at ${image.byteLength}`);
  }
  if (view.getUint32(start, true) !== zstdMagic) {
    throw new ImageBuildError('BAD_KERNEL', 'payload is not compressed with zstd');
  }
  // The kernel's build appends the unpacked size to what zstd wrote.
  return { zstd: image.subarray(start, end - 4), unpackedSize: view.getUint32(end - 4, true) };
}
