import { closeSync, constants } from 'node:fs';
import { check, cpath, libc, type Path, SystemError } from './syscall.ts';

/** Not among Node's constants. */
export const O_PATH = 0o10000000;
const O_CLOEXEC = 0o2000000;

const RESOLVE_NO_XDEV = 0x01;
const RESOLVE_NO_MAGICLINKS = 0x02;
const RESOLVE_NO_SYMLINKS = 0x04;
const RESOLVE_BENEATH = 0x08;
const SYS_OPENAT2 = 437;

const open = libc('int openat(int dirfd, const char *path, int flags, int mode)');
// glibc 2.36 has no wrapper.
const openat2 = libc('long syscall(long nr, int dirfd, const char *path, const uint8_t *how, size_t size)');

/** An open file descriptor, closed with `using`. */
export class Descriptor implements Disposable {
  readonly fd: number;
  #open = true;

  constructor(fd: number) {
    this.fd = fd;
  }

  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    closeSync(this.fd);
  }
}

/** Opens a directory by its path, following links: for directories of our own. */
export function openDirectory(path: Path): Descriptor {
  return new Descriptor(
    check(open(-100, cpath(path), constants.O_RDONLY | constants.O_DIRECTORY | O_CLOEXEC, 0), 'open', path),
  );
}

/** Opens one name in a directory, never through a link in its place. The negative errno where that fails. */
export function tryOpenAt(directory: Descriptor, name: Path, flags: number, mode = 0): Descriptor | number {
  const fd = open(directory.fd, cpath(name), flags | constants.O_NOFOLLOW | O_CLOEXEC, mode);
  return fd < 0 ? fd : new Descriptor(fd);
}

/** As `tryOpenAt`. @throws SystemError */
export function openAt(directory: Descriptor, name: Path, flags: number, mode = 0): Descriptor {
  const opened = tryOpenAt(directory, name, flags, mode);
  if (typeof opened === 'number') throw new SystemError('openat', opened, name);
  return opened;
}

/**
 * Opens a directory below another by a relative path in which no component may be a link, a mount or `..` beyond the
 * start: the kernel checks, whatever the path says. The negative errno where that fails.
 */
export function tryOpenBeneath(directory: Descriptor, path: Path): Descriptor | number {
  const how = new BigUint64Array([
    BigInt(constants.O_RDONLY | constants.O_DIRECTORY | O_CLOEXEC),
    0n,
    BigInt(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV),
  ]);
  const fd = openat2(SYS_OPENAT2, directory.fd, cpath(path), new Uint8Array(how.buffer), how.byteLength);
  return fd < 0 ? fd : new Descriptor(fd);
}
