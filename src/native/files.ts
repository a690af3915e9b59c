/** Open files: fds are plain numbers, closed by hand or held in a `File` under `using`. */
import { Packer } from './bytes.ts';
import { attempt, call, callAt, checked, once } from './syscall.ts';

export const AT_FDCWD = -100;

/** Flags of open. The values are those of x86-64. */
export const open_ = {
  readOnly: 0o0,
  writeOnly: 0o1,
  readWrite: 0o2,
  create: 0o100,
  exclusive: 0o200,
  noControllingTerminal: 0o400,
  truncate: 0o1000,
  append: 0o2000,
  nonBlocking: 0o4000,
  directory: 0o200000,
  noFollow: 0o400000,
  closeOnExec: 0o2000000,
  path: 0o10000000,
} as const;

/** How openat2 resolves a path. */
const resolve = {
  noCrossDevice: 0x01,
  noMagicLinks: 0x02,
  noSymlinks: 0x04,
  beneath: 0x08,
  inRoot: 0x10,
} as const;

/** Always close-on-exec: what a child keeps is named when it is spawned. */
export function open(path: string, flags: number, mode = 0o666, directory = AT_FDCWD): number {
  return callAt(path, 'openat', directory, path, flags | open_.closeOnExec, mode);
}

/** As open, resolving every component, symlink and `..` inside `directory` as if it were `/`. */
export function openInRoot(directory: number, path: string, flags: number, mode = 0): number {
  return openResolved(directory, path, flags, mode, resolve.inRoot | resolve.noMagicLinks);
}

/** As open, but no component may be a link, a mount or `..` beyond the start. */
export function openBeneath(directory: number, path: string | Uint8Array, flags: number, mode = 0): number {
  const how = resolve.beneath | resolve.noSymlinks | resolve.noMagicLinks | resolve.noCrossDevice;
  return openResolved(directory, path, flags, mode, how);
}

/** The same where what lies beneath may be mounted there. */
export function openWithoutLinks(directory: number, path: string | Uint8Array, flags: number): number {
  return openResolved(directory, path, flags, 0, resolve.beneath | resolve.noSymlinks | resolve.noMagicLinks);
}

/** As open, through links and mounts, but never beyond `directory`: EXDEV for what leads out of it. */
export function openWithin(directory: number, path: string, flags: number, mode = 0): number {
  return openResolved(directory, path, flags, mode, resolve.beneath | resolve.noMagicLinks);
}

function openResolved(
  dir: number,
  path: string | Uint8Array,
  flags: number,
  mode: number,
  how: number,
): number {
  const request = new Packer(24)
    .u64(flags | open_.closeOnExec)
    .u64(mode)
    .u64(how)
    .finish();
  const place = typeof path === 'string' ? { path } : {};
  return checked('openat2', attempt('openat2', dir, path, request, request.length), place);
}

export function close(fd: number): void {
  const EINTR = -4;
  const result = once('close', fd);
  if (result !== EINTR) checked('close', result);
}

/** An open file that closes itself at the end of its scope. */
export class File {
  readonly fd: number;

  constructor(fd: number) {
    this.fd = fd;
  }

  static open(path: string, flags: number, mode?: number, directory?: number): File {
    return new File(open(path, flags, mode, directory));
  }

  [Symbol.dispose](): void {
    close(this.fd);
  }
}

/** Bytes read into `buffer`; 0 at the end. */
export function read(fd: number, buffer: Uint8Array): number {
  return call('read', fd, buffer, buffer.length);
}

/** As read; undefined when it would block. */
export function readNow(fd: number, buffer: Uint8Array): number | undefined {
  return unlessBlocked('read', attempt('read', fd, buffer, buffer.length));
}

export function write(fd: number, bytes: Uint8Array): number {
  return call('write', fd, bytes, bytes.length);
}

/** At a place in the file, whatever its own position. All of it, or it throws. */
export function writeAt(fd: number, bytes: Uint8Array, offset: number): void {
  for (let at = 0; at < bytes.length; ) {
    const rest = bytes.subarray(at);
    at += call('pwrite64', fd, rest, rest.length, offset + at);
  }
}

/** As write; undefined when it would block. */
export function writeNow(fd: number, bytes: Uint8Array): number | undefined {
  return unlessBlocked('write', attempt('write', fd, bytes, bytes.length));
}

/** Writes everything, waiting as often as the fd makes it wait. Not for non-blocking fds. */
export function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += write(fd, bytes.subarray(at));
}

export function truncate(target: string | number, length: number): void {
  if (typeof target === 'number') call('ftruncate', target, length);
  else callAt(target, 'truncate', target, length);
}

const SEEK_END = 2;

/** The size of a file or a block device. */
export function endOf(fd: number): number {
  return call('lseek', fd, 0, SEEK_END);
}

export function duplicate(fd: number, to: number, closeOnExec = true): number {
  return call('dup3', fd, to, closeOnExec ? open_.closeOnExec : 0);
}

export type LockKind = 'shared' | 'exclusive' | 'unlock';

const lockOperations = { shared: 1, exclusive: 2, unlock: 8 } as const;
const EAGAIN = -11;

export function lock(fd: number, kind: LockKind): void {
  call('flock', fd, lockOperations[kind]);
}

const LOCK_NOW = 4;

/** False where somebody's lock is in the way. */
export function tryLock(fd: number, kind: LockKind): boolean {
  const result = attempt('flock', fd, lockOperations[kind] | LOCK_NOW);
  return result !== EAGAIN && checked('flock', result) === 0;
}

function unlessBlocked(name: string, result: number): number | undefined {
  return result === EAGAIN ? undefined : checked(name, result);
}
