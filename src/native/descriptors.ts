/** Flags and controls of an open fd. */
import { Packer } from './bytes.ts';
import type { Argument } from './engine.ts';
import { open_ } from './files.ts';
import { call } from './syscall.ts';

const F_DUPFD_CLOEXEC = 1030;
const F_SETFD = 2;
const F_GETFL = 3;
const F_SETFL = 4;
const F_SETPIPE_SZ = 1031;
const FD_CLOEXEC = 1;

export function setCloseOnExec(fd: number, on: boolean): void {
  call('fcntl', fd, F_SETFD, on ? FD_CLOEXEC : 0);
}

/** A property of the open file, shared by everyone who has a duplicate of it. */
export function setNonBlocking(fd: number, on: boolean): void {
  const flags = call('fcntl', fd, F_GETFL);
  call('fcntl', fd, F_SETFL, on ? flags | open_.nonBlocking : flags & ~open_.nonBlocking);
}

export function statusFlags(fd: number): number {
  return call('fcntl', fd, F_GETFL);
}

/** A new fd of the same open file, numbered `atLeast` or above, close-on-exec. */
export function duplicateAbove(fd: number, atLeast: number): number {
  return call('fcntl', fd, F_DUPFD_CLOEXEC, atLeast);
}

/** The capacity the kernel granted, in bytes. */
export function setPipeSize(fd: number, bytes: number): number {
  return call('fcntl', fd, F_SETPIPE_SZ, bytes);
}

export function ioctl(fd: number, request: number, argument: Argument = 0): number {
  return call('ioctl', fd, request, argument);
}

export function ioctlSetInt(fd: number, request: number, value: number): void {
  call('ioctl', fd, request, new Packer(4).u32(value).finish());
}
