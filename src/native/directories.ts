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

const BUFFER = 8192;

/** The names in a directory, without `.` and `..`, in the file system's order. */
export function readdir(path: string, directory = AT_FDCWD): string[] {
  return entries(path, directory).map((entry) => entry.name);
}

export function entries(path: string, directory = AT_FDCWD): Entry[] {
  using file = File.open(path, open_.readOnly | open_.directory, 0, directory);
  const found: Entry[] = [];
  visitEntries(file.fd, (name, kind) => found.push({ name: utf8Decode(name), kind }));
  return found;
}

/** A name as it is, which need not be UTF-8; it is good during the call alone. */
type Visit = (name: Uint8Array, kind: FileKind) => void;

/** The names in an open directory, from where its position is: there may be more than one would keep. */
export function visitEntries(fd: number, visit: Visit): void {
  const buffer = new Uint8Array(BUFFER);
  for (;;) {
    const length = call('getdents64', fd, buffer, buffer.length);
    if (length === 0) return;
    parseEntries(buffer.subarray(0, length), visit);
  }
}

/** struct linux_dirent64: inode, offset, record length, type, name. */
function parseEntries(bytes: Uint8Array, visit: Visit): void {
  for (let at = 0; at < bytes.length; ) {
    const record = new Unpacker(bytes, at + 16);
    const length = record.u16();
    const kind = kinds[record.u8()] ?? 'unknown';
    const start = at + 19;
    at += length;
    const name = bytes.subarray(start, bytes.indexOf(0, start));
    if (!isSelfOrParent(name)) visit(name, kind);
  }
}

const DOT = 0x2e;

function isSelfOrParent(name: Uint8Array): boolean {
  return name.length <= 2 && name.every((byte) => byte === DOT);
}
