import { ImageBuildError } from '../../tools/stage1/error.ts';

const noteSegment = 4;
const xenPhys32Entry = 18;

/**
 * Whether an x86-64 ELF kernel has the Xen PHYS32_ENTRY note, by which QEMU boots it directly (PVH),
 * without a boot loader or a decompressor in the guest.
 */
export function hasPvhEntry(elf: Uint8Array): boolean {
  const view = new DataView(elf.buffer, elf.byteOffset, elf.byteLength);
  if (elf.byteLength < 64 || view.getUint32(0, false) !== 0x7f454c46) {
    throw new ImageBuildError('BAD_KERNEL', 'unpacked kernel is not an ELF file');
  }
  const table = Number(view.getBigUint64(0x20, true));
  const entrySize = view.getUint16(0x36, true);
  const count = view.getUint16(0x38, true);
  return Array.from({ length: count }, (_, i) => table + i * entrySize)
    .filter((header) => view.getUint32(header, true) === noteSegment)
    .some((header) => {
      const offset = Number(view.getBigUint64(header + 0x08, true));
      const size = Number(view.getBigUint64(header + 0x20, true));
      return noteTypes(elf.subarray(offset, offset + size), 'Xen').includes(xenPhys32Entry);
    });
}

/** The types of all notes of one owner in a note segment: size of name, size of value, type, name, value. */
function noteTypes(notes: Uint8Array, owner: string): number[] {
  const view = new DataView(notes.buffer, notes.byteOffset, notes.byteLength);
  const types: number[] = [];
  for (let at = 0; at + 12 <= notes.byteLength; ) {
    const nameSize = view.getUint32(at, true);
    const valueSize = view.getUint32(at + 4, true);
    const name = Buffer.from(notes.subarray(at + 12, at + 12 + nameSize)).toString();
    if (name === `${owner}\0`) types.push(view.getUint32(at + 8, true));
    at += 12 + align(nameSize) + align(valueSize);
  }
  return types;
}

function align(size: number): number {
  return (size + 3) & ~3;
}
