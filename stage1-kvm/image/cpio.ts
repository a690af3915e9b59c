import type { Entry } from '../../tools/stage1/entry.ts';

// File type bits of st_mode, and the "newc" layout that the kernel unpacks (initramfs/buffer-format.rst).
const typeBits = { directory: 0o040000, file: 0o100000, symlink: 0o120000, character: 0o020000 } as const;
const trailer = 'TRAILER!!!';
const nothing = new Uint8Array();

/**
 * Writes a cpio archive whose bytes depend on the entries alone: inode numbers count up, owners and times
 * are zero. Paths are relative; a directory must come before what it holds, as the kernel creates in order.
 */
export function writeCpio(entries: readonly Entry[]): Uint8Array {
  const records = entries.map((entry, index) => {
    const links = entry.kind === 'directory' ? 2 : 1;
    return record(
      index + 1,
      typeBits[entry.kind] | entry.mode,
      links,
      entry.path,
      content(entry),
      device(entry),
    );
  });
  return Buffer.concat([...records, record(0, 0, 1, trailer, nothing, [0, 0])].flat());
}

function record(
  inode: number,
  mode: number,
  links: number,
  name: string,
  bytes: Uint8Array,
  [major, minor]: readonly [number, number],
): Uint8Array[] {
  const nameBytes = Buffer.from(`${name}\0`);
  const owner = [0, 0];
  const time = 0;
  const ownDevice = [0, 0];
  const checksum = 0;
  const fields = [
    inode,
    mode,
    ...owner,
    links,
    time,
    bytes.length,
    ...ownDevice,
    major,
    minor,
    nameBytes.length,
  ];
  const header = `070701${[...fields, checksum].map((n) => n.toString(16).padStart(8, '0')).join('')}`;
  return [...padded(Buffer.concat([Buffer.from(header), nameBytes])), ...padded(bytes)];
}

function padded(bytes: Uint8Array): Uint8Array[] {
  return [bytes, new Uint8Array((4 - (bytes.length % 4)) % 4)];
}

function content(entry: Entry): Uint8Array {
  switch (entry.kind) {
    case 'file':
      return entry.bytes;
    case 'symlink':
      return Buffer.from(entry.target);
    case 'directory':
    case 'character':
      return nothing;
    default:
      return entry satisfies never;
  }
}

function device(entry: Entry): readonly [number, number] {
  return entry.kind === 'character' ? [entry.major, entry.minor] : [0, 0];
}
