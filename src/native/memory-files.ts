import { writeAt } from './files.ts';
import { call } from './syscall.ts';

const MFD_CLOEXEC = 1;

/** An open file without a name, at its beginning: what a program is to read, whenever it does. `name` is for /proc alone. */
export function openMemoryFile(name: string, content: Uint8Array): number {
  const fd = call('memfd_create', name, MFD_CLOEXEC);
  writeAt(fd, content, 0);
  return fd;
}
