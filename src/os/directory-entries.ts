import type { Descriptor } from './descriptor.ts';
import { check, cpath, libc, type Path } from './syscall.ts';

const AT_REMOVEDIR = 0x200;
const RENAME_NOREPLACE = 1;
const RENAME_EXCHANGE = 2;

const mkdirat = libc('int mkdirat(int dirfd, const char *path, unsigned int mode)');
const mknodat = libc('int mknodat(int dirfd, const char *path, unsigned int mode, uint64_t device)');
const symlinkat = libc('int symlinkat(const char *target, int dirfd, const char *path)');
const linkat = libc(
  'int linkat(int olddirfd, const char *oldpath, int newdirfd, const char *newpath, int flags)',
);
const unlinkat = libc('int unlinkat(int dirfd, const char *path, int flags)');
const readlinkat = libc('long readlinkat(int dirfd, const char *path, _Out_ uint8_t *buffer, size_t size)');
const renameat2 = libc(
  'int renameat2(int olddirfd, const char *oldpath, int newdirfd, const char *newpath, unsigned int flags)',
);

// Each works on one name in an open directory and never follows a link there. Those called `try...` return the negative
// errno where it is an answer, mostly -EEXIST; the others throw SystemError.

export function tryMakeDirectory(directory: Descriptor, name: Path, mode: number): number {
  return mkdirat(directory.fd, cpath(name), mode);
}

/** `mode` carries the type (S_IFCHR, S_IFBLK, S_IFIFO). */
export function tryMakeNode(
  directory: Descriptor,
  name: Path,
  mode: number,
  major: number,
  minor: number,
): number {
  return mknodat(directory.fd, cpath(name), mode, deviceNumber(major, minor));
}

export function tryMakeSymlink(directory: Descriptor, name: Path, target: Path): number {
  return symlinkat(cpath(target), directory.fd, cpath(name));
}

/** A further name for a file; where the source is a symbolic link, for the link itself. */
export function tryMakeHardLink(from: Descriptor, source: Path, to: Descriptor, name: Path): number {
  return linkat(from.fd, cpath(source), to.fd, cpath(name), 0);
}

export function removeName(directory: Descriptor, name: Path): void {
  check(tryRemoveName(directory, name), 'unlinkat', name);
}

/** -EISDIR for a directory. */
export function tryRemoveName(directory: Descriptor, name: Path): number {
  return unlinkat(directory.fd, cpath(name), 0);
}

export function removeEmptyDirectory(directory: Descriptor, name: Path): void {
  check(unlinkat(directory.fd, cpath(name), AT_REMOVEDIR), 'rmdir', name);
}

/** -ENOTEMPTY where there still are names in it. */
export function tryRemoveEmptyDirectory(directory: Descriptor, name: Path): number {
  return unlinkat(directory.fd, cpath(name), AT_REMOVEDIR);
}

/** A symbolic link's target, or the negative errno: -EINVAL where the name is not a link. */
export function tryReadLink(directory: Descriptor, name: Path): Buffer | number {
  const buffer = Buffer.alloc(4096);
  const length = readlinkat(directory.fd, cpath(name), buffer, buffer.length);
  return length < 0 ? length : buffer.subarray(0, length);
}

/** Renames without replacing; -EEXIST where the new name is taken. */
export function tryRename(from: Descriptor, source: Path, to: Descriptor, name: Path): number {
  return renameat2(from.fd, cpath(source), to.fd, cpath(name), RENAME_NOREPLACE);
}

/** Gives each of two names what the other stands for, in one step. */
export function exchangeNames(from: Descriptor, source: Path, to: Descriptor, name: Path): void {
  check(renameat2(from.fd, cpath(source), to.fd, cpath(name), RENAME_EXCHANGE), 'renameat2', name);
}

/** The kernel's own encoding of a device number. */
export function deviceNumber(major: number, minor: number): bigint {
  const [high, low] = [BigInt(major), BigInt(minor)];
  return (
    ((high & 0xfff_ff000n) << 32n) | ((high & 0xfffn) << 8n) | ((low & 0xffff_ff00n) << 12n) | (low & 0xffn)
  );
}
