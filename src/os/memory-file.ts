import { writeSync } from 'node:fs';
import { check, cpath, libc } from './syscall.ts';

const MFD_CLOEXEC = 1;

const memfdCreate = libc('int memfd_create(const char *name, unsigned int flags)');

/** An open file that is in memory alone, at its beginning; the fd is the caller's. `name` is for /proc. @throws SystemError */
export function openMemoryFile(name: string, content: Uint8Array): number {
  const fd = check(memfdCreate(cpath(name), MFD_CLOEXEC), 'memfd_create');
  for (let at = 0; at < content.length; ) at += writeSync(fd, content, at, content.length - at, at);
  return fd;
}
