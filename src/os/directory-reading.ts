import type { Descriptor } from './descriptor.ts';
import { check, libc } from './syscall.ts';

const getdents64 = libc('long getdents64(int fd, _Out_ uint8_t *entries, size_t size)');
const lseek = libc('long lseek(int fd, long offset, int whence)');
const SEEK_SET = 0;

/** Names of a directory that are read at once are as many as have room in it: a guest may make as many as its disk has inodes. */
const entries = Buffer.alloc(32 * 1024);

// linux_dirent64: inode, offset, length of the entry, type, name.
const LENGTH_AT = 16;
const TYPE_AT = 18;
const NAME_AT = 19;
const DT_UNKNOWN = 0;
const DT_DIR = 4;
const DOT = 0x2e;

export interface DirectoryEntry {
  /** It need not be UTF-8. */
  readonly name: Buffer;
  /** Undefined where the file system does not say. It may be another by now. */
  readonly isDirectory: boolean | undefined;
}

/** The next of an open directory's names, in no order; none at its end. Node's own reading opens the directory once more, and takes four times as long. */
export function readEntries(directory: Descriptor): DirectoryEntry[] {
  for (;;) {
    const length = check(getdents64(directory.fd, entries, entries.length), 'getdents64');
    const found = length === 0 ? [] : parseEntries(Buffer.from(entries.subarray(0, length)));
    if (length === 0 || found.length > 0) return found;
  }
}

/** The next of its names are its first ones again. */
export function rewind(directory: Descriptor): void {
  check(lseek(directory.fd, 0, SEEK_SET), 'lseek');
}

function parseEntries(bytes: Buffer): DirectoryEntry[] {
  const found: DirectoryEntry[] = [];
  for (let at = 0; at < bytes.length; at += bytes.readUInt16LE(at + LENGTH_AT)) {
    const name = bytes.subarray(at + NAME_AT, bytes.indexOf(0, at + NAME_AT));
    if (isDots(name)) continue;
    const type = bytes[at + TYPE_AT];
    found.push({ name, isDirectory: type === DT_UNKNOWN ? undefined : type === DT_DIR });
  }
  return found;
}

function isDots(name: Buffer): boolean {
  return name[0] === DOT && (name.length === 1 || (name.length === 2 && name[1] === DOT));
}
