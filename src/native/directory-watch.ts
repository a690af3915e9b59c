/** inotify(7) on one directory. */
import { AT_FDCWD, close, readNow } from './files.ts';
import { call, callAt } from './syscall.ts';

const IN_CLOEXEC = 0o2000000;
const IN_NONBLOCK = 0o4000;
const IN_ATTRIB = 4;
const IN_ONLYDIR = 0x01000000;
const NOW = null;
const BUFFER = 4096;

/** A fd that is readable when a directory has been touched. A user has few of them (`fs.inotify.max_user_instances`): EMFILE. */
export function watchTouches(directory: string): number {
  const fd = call('inotify_init1', IN_CLOEXEC | IN_NONBLOCK);
  try {
    callAt(directory, 'inotify_add_watch', fd, directory, IN_ATTRIB | IN_ONLYDIR);
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

/** Takes all that has been reported. */
export function takeTouches(fd: number): void {
  const buffer = new Uint8Array(BUFFER);
  while (readNow(fd, buffer) !== undefined) {}
}

/** Wakes those who watch. */
export function touch(directory: string): void {
  callAt(directory, 'utimensat', AT_FDCWD, directory, NOW, 0);
}
