/** Listing directories. */
import { Unpacker } from './bytes.ts';
import { utf8Decode } from './engine.ts';
import { AT_FDCWD, File, open_ } from './files.ts';
import type { FileKind } from './stat.ts';
import { call } from './syscall.ts';

export interface Entry {
  readonly name: string;
  /** `unknown` where the file system does not say. */
  readonly kind: FileKind;
}

const kinds: Readonly<Record<number, FileKind>> = {
  1: 'fifo',
  2: 'char',
  4: 'directory',
  6: 'block',
  8: 'file',
  10: 'symlink',
  12: 'socket',
};

const BUFFER = 32768;

/** The names in a directory, without `.` and `..`, in the file system's order. */
export function readdir(path: string, directory = AT_FDCWD): string[] {
  return entries(path, directory).map((entry) => entry.name);
}

export function entries(path: string, directory = AT_FDCWD): Entry[] {
  using file = File.open(path, open_.readOnly | open_.directory, 0, directory);
  return rawEntries(file.fd).map(({ name, kind }) => ({ name: utf8Decode(name), kind }));
}

/** A name as it is: it need not be UTF-8. */
export interface RawEntry {
  readonly name: Uint8Array;
  readonly kind: FileKind;
}

/** As `entries`, of an open directory, from where its position is. */
export function rawEntries(fd: number): RawEntry[] {
  const buffer = new Uint8Array(BUFFER);
  const found: RawEntry[] = [];
  for (;;) {
    const length = call('getdents64', fd, buffer, buffer.length);
    if (length === 0) return found;
    found.push(...parseEntries(buffer.subarray(0, length)));
  }
}

/** struct linux_dirent64: inode, offset, record length, type, name. */
function parseEntries(bytes: Uint8Array): RawEntry[] {
  const found: RawEntry[] = [];
  for (let at = 0; at < bytes.length; ) {
    const record = new Unpacker(bytes, at + 16);
    const length = record.u16();
    const kind = kinds[record.u8()] ?? 'unknown';
    const start = at + 19;
    at += length;
    const name = bytes.slice(start, bytes.indexOf(0, start));
    if (!isSelfOrParent(name)) found.push({ name, kind });
  }
  return found;
}

const DOT = 0x2e;

function isSelfOrParent(name: Uint8Array): boolean {
  return name.length <= 2 && name.every((byte) => byte === DOT);
}
