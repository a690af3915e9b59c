import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { isSystemError } from '../os/syscall.ts';

/**
 * Directories of the store, below `cas/` of the data directory. Layers hold setuid programs and devices of images: nobody
 * but root may pass. What only describes images is for the group too, as rkt had it.
 */
const DIRECTORIES = {
  image: 0o2750,
  source: 0o2750,
  layer: 0o700,
  tmp: 0o700,
  locks: 0o700,
} as const;

export type StorePaths = Readonly<Record<keyof typeof DIRECTORIES, string>>;

export function storePaths(dataDirectory: string): StorePaths {
  const at = (name: string) => join(dataDirectory, 'cas', name);
  return { image: at('image'), source: at('source'), layer: at('layer'), tmp: at('tmp'), locks: at('locks') };
}

export function makeStoreDirectories(dataDirectory: string): void {
  mkdirSync(dataDirectory, { recursive: true, mode: 0o750 });
  makeDirectory(join(dataDirectory, 'cas'), 0o2750);
  const paths = storePaths(dataDirectory);
  makeDirectory(paths.image, DIRECTORIES.image);
  makeDirectory(paths.source, DIRECTORIES.source);
  makeDirectory(paths.layer, DIRECTORIES.layer);
  makeDirectory(paths.tmp, DIRECTORIES.tmp);
  makeDirectory(paths.locks, DIRECTORIES.locks);
}

// Only a new directory gets our mode: an administrator may have given the others their own.
function makeDirectory(path: string, mode: number): void {
  try {
    mkdirSync(path);
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) return;
    throw error;
  }
  chmodSync(path, mode);
}
