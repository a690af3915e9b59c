import {
  closeSync,
  fchmodSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { openOwnFile } from './shared-file.ts';

/** Readers see the old content or the new, also after a power cut: `.tmp`, fsync, rename, fsync of the parent. */
export function replaceFile(path: string, content: string, mode = 0o640): void {
  const temporary = `${path}.tmp`;
  const fd = openOwnFile(temporary, mode);
  try {
    ftruncateSync(fd);
    fchmodSync(fd, mode); // whatever the umask is
    writeFileSync(fd, content);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(temporary, path);
  syncDirectory(dirname(path));
}

/** Makes names in a directory durable: those made, renamed and removed. */
export function syncDirectory(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
