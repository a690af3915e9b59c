import { type BigIntStats, fstatSync } from 'node:fs';
import { type Descriptor, O_PATH, tryOpenAt } from './descriptor.ts';
import { check, cpath, libc, type Path, SystemError } from './syscall.ts';

const AT_SYMLINK_NOFOLLOW = 0x100;

const fchown = libc('int fchown(int fd, unsigned int uid, unsigned int gid)');
const fchownat = libc(
  'int fchownat(int dirfd, const char *path, unsigned int uid, unsigned int gid, int flags)',
);
const fchmod = libc('int fchmod(int fd, unsigned int mode)');
const fchmodat = libc('int fchmodat(int dirfd, const char *path, unsigned int mode, int flags)');
const futimens = libc('int futimens(int fd, const uint8_t *times)');
const utimensat = libc('int utimensat(int dirfd, const char *path, const uint8_t *times, int flags)');
const fsetxattr = libc(
  'int fsetxattr(int fd, const char *name, const uint8_t *value, size_t size, int flags)',
);
const lsetxattr = libc(
  'int lsetxattr(const char *path, const char *name, const uint8_t *value, size_t size, int flags)',
);
const flistxattr = libc('long flistxattr(int fd, _Out_ uint8_t *list, size_t size)');
const fremovexattr = libc('int fremovexattr(int fd, const char *name)');
const fgetxattr = libc('long fgetxattr(int fd, const char *name, _Out_ uint8_t *value, size_t size)');

export interface Time {
  readonly seconds: number;
  readonly nanoseconds: number;
}

export function changeOwner(file: Descriptor, uid: number, gid: number): void {
  check(fchown(file.fd, uid, gid), 'fchown');
}

export function changeMode(file: Descriptor, mode: number): void {
  check(fchmod(file.fd, mode), 'fchmod');
}

/** Access and modification time, to the nanosecond (Node's own take floating point seconds). */
export function changeTimes(file: Descriptor, time: Time): void {
  check(futimens(file.fd, timePair(time)), 'futimens');
}

export function setXattr(file: Descriptor, name: Path, value: Uint8Array): void {
  check(fsetxattr(file.fd, cpath(name), value, value.length, 0), 'fsetxattr', name);
}

/** All extended attributes of an open file. */
export function listXattrs(file: Descriptor): Map<string, Buffer> {
  const names = Buffer.alloc(65_536);
  const length = check(flistxattr(file.fd, names, names.length), 'flistxattr');
  const xattrs = new Map<string, Buffer>();
  for (const name of names.toString('latin1', 0, length).split('\0')) {
    if (name === '') continue;
    const value = getXattr(file, name);
    if (value !== undefined) xattrs.set(name, value);
  }
  return xattrs;
}

/** An extended attribute's value; undefined where there is none. */
export function getXattr(file: Descriptor, name: string): Buffer | undefined {
  const value = Buffer.alloc(65_536);
  const length = fgetxattr(file.fd, cpath(Buffer.from(name, 'latin1')), value, value.length);
  if (isAbsence(length)) return undefined;
  return value.subarray(0, check(length, 'fgetxattr', name));
}

/** Nothing happens where there is none. */
export function removeXattr(file: Descriptor, name: string): void {
  const result = fremovexattr(file.fd, cpath(Buffer.from(name, 'latin1')));
  if (!isAbsence(result)) check(result, 'fremovexattr', name);
}

// The rest change what a name stands for without opening it: links, devices and fifos must not be opened.

export function changeOwnerAt(directory: Descriptor, name: Path, uid: number, gid: number): void {
  check(fchownat(directory.fd, cpath(name), uid, gid, AT_SYMLINK_NOFOLLOW), 'fchownat', name);
}

/** Follows links: only for a name that is known not to be one (Linux has no other). */
export function changeModeAt(directory: Descriptor, name: Path, mode: number): void {
  check(fchmodat(directory.fd, cpath(name), mode, 0), 'fchmodat', name);
}

export function changeTimesAt(directory: Descriptor, name: Path, time: Time): void {
  check(utimensat(directory.fd, cpath(name), timePair(time), AT_SYMLINK_NOFOLLOW), 'utimensat', name);
}

export function setXattrAt(directory: Descriptor, name: Path, xattr: Path, value: Uint8Array): void {
  const path = Buffer.concat([Buffer.from(`/proc/self/fd/${directory.fd}/`), Buffer.from(name)]);
  check(lsetxattr(cpath(path), cpath(xattr), value, value.length, 0), 'lsetxattr', name);
}

/** ENODATA, and EOPNOTSUPP of file systems that have no attributes. */
function isAbsence(result: number): boolean {
  return result === -61 || result === -95;
}

/** What a name stands for, links not followed; undefined where there is none. */
export function statAt(directory: Descriptor, name: Path): BigIntStats | undefined {
  const opened = tryOpenAt(directory, name, O_PATH);
  if (opened === -2) return undefined;
  if (typeof opened === 'number') throw new SystemError('openat', opened, name);
  using file = opened;
  return fstatSync(file.fd, { bigint: true });
}

function timePair({ seconds, nanoseconds }: Time): Uint8Array {
  const pair = new BigInt64Array([
    BigInt(seconds),
    BigInt(nanoseconds),
    BigInt(seconds),
    BigInt(nanoseconds),
  ]);
  return new Uint8Array(pair.buffer);
}
