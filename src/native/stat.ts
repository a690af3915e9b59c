/** What a file is, by statx: one structure on every architecture. */
import { Unpacker } from './bytes.ts';
import type { Timespec } from './clock.ts';
import { hasCode, unless } from './errors.ts';
import { AT_FDCWD } from './files.ts';
import { callAt } from './syscall.ts';

export type FileKind = 'file' | 'directory' | 'symlink' | 'fifo' | 'socket' | 'char' | 'block' | 'unknown';

export interface Device {
  readonly major: number;
  readonly minor: number;
}

export interface Stat {
  readonly kind: FileKind;
  /** Permission bits with setuid, setgid and sticky: `mode & 0o7777`. */
  readonly permissions: number;
  readonly links: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly blocks: number;
  /** Rounded above 2^53: fit for comparing, not for printing. */
  readonly inode: number;
  /** The same exactly, its lower and its higher half: overlayfs numbers files up to the last bit. */
  readonly inodeHalves: readonly [low: number, high: number];
  /** The device that holds the file. */
  readonly device: Device;
  /** What a device node stands for. */
  readonly represents: Device;
  readonly modified: Timespec;
  readonly changed: Timespec;
  /** Differs on the two sides of a mount point, even of a bind mount; undefined before Linux 5.8. */
  readonly mountId: number | undefined;
}

const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_EMPTY_PATH = 0x1000;
const AT_STATX_FORCE_SYNC = 0x2000;
const STATX_BASIC_STATS = 0x7ff;
const STATX_MNT_ID = 0x1000;
const SIZE = 256;

const kinds: Readonly<Record<number, FileKind>> = {
  4096: 'fifo',
  8192: 'char',
  16384: 'directory',
  24576: 'block',
  32768: 'file',
  40960: 'symlink',
  49152: 'socket',
};

export function stat(path: string, directory = AT_FDCWD): Stat {
  return statx(directory, path, 0);
}

/** The link itself where the path ends in one. */
export function lstat(path: string, directory = AT_FDCWD): Stat {
  return statx(directory, path, AT_SYMLINK_NOFOLLOW);
}

export function fstat(fd: number): Stat {
  return statx(fd, '', AT_EMPTY_PATH);
}

/** Asked of whoever has it, whatever the kernel remembers. */
export function statAnew(path: string): Stat {
  return statx(AT_FDCWD, path, AT_STATX_FORCE_SYNC);
}

/** Undefined where there is nothing, or a component is not a directory. */
export function statIfPresent(path: string, directory = AT_FDCWD): Stat | undefined {
  return unless(['ENOENT', 'ENOTDIR'], () => stat(path, directory));
}

/** Whether two names are one file's. */
export function isSameFile(a: Stat, b: Stat): boolean {
  const [one, other] = [a.device, b.device];
  return (
    a.inodeHalves.join() === b.inodeHalves.join() && one.major === other.major && one.minor === other.minor
  );
}

export function exists(path: string, directory = AT_FDCWD): boolean {
  try {
    lstat(path, directory);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}

function statx(directory: number, path: string, flags: number): Stat {
  const out = new Uint8Array(SIZE);
  callAt(path, 'statx', directory, path, flags, STATX_BASIC_STATS | STATX_MNT_ID, out);
  return parseStatx(out);
}

/** struct statx, include/uapi/linux/stat.h. */
function parseStatx(bytes: Uint8Array): Stat {
  const s = new Unpacker(bytes);
  const mask = s.u32();
  s.skip(12); // block size, attributes
  const links = s.u32();
  const uid = s.u32();
  const gid = s.u32();
  const mode = s.u16();
  s.skip(2);
  const inodeHalves = [s.u32(), s.u32()] as const;
  const inode = inodeHalves[1] * 2 ** 32 + inodeHalves[0];
  const size = s.u64();
  const blocks = s.u64();
  s.skip(8); // attributes mask
  s.skip(32); // accessed, created
  const changed = timestamp(s);
  const modified = timestamp(s);
  const represents = { major: s.u32(), minor: s.u32() };
  const device = { major: s.u32(), minor: s.u32() };
  const mountId = mask & STATX_MNT_ID ? s.u64() : undefined;
  const kind = kinds[mode & 0o170000] ?? 'unknown';
  const permissions = mode & 0o7777;
  return {
    kind,
    permissions,
    links,
    uid,
    gid,
    size,
    blocks,
    inode,
    inodeHalves,
    device,
    represents,
    modified,
    changed,
    mountId,
  };
}

function timestamp(s: Unpacker): Timespec {
  const seconds = s.i64();
  const nanoseconds = s.u32();
  s.skip(4);
  return { seconds, nanoseconds };
}
