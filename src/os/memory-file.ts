import { ftruncateSync, writeSync } from 'node:fs';
import { check, cpath, libc } from './syscall.ts';

const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
const F_ADD_SEALS = 1033;
const F_SEAL_GROW = 4;

const memfdCreate = libc('int memfd_create(const char *name, unsigned int flags)');
const fcntl = libc('int fcntl(int fd, int command, int argument)');

/** An open file that is in memory alone, at its beginning; the fd is the caller's. `name` is for /proc. @throws SystemError */
export function openMemoryFile(name: string, content: Uint8Array): number {
  const fd = check(memfdCreate(cpath(name), MFD_CLOEXEC | MFD_ALLOW_SEALING), 'memfd_create');
  for (let at = 0; at < content.length; ) at += writeSync(fd, content, at, content.length - at, at);
  return fd;
}

/** Empties it for good: whoever else has it writes no more to it. @throws SystemError */
export function retireMemoryFile(fd: number): void {
  ftruncateSync(fd);
  check(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), 'fcntl');
}
