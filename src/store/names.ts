import { readdirSync } from 'node:fs';
import { isSystemError } from '../os/syscall.ts';
import { StoreError } from './error.ts';

/** The names in a directory of the store, which may not have been made yet. @throws StoreError no-access */
export function namesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return [];
    if (isSystemError(error, 'EACCES')) throw noAccess(`read ${path}`, error);
    throw error;
  }
}

export function noAccess(what: string, cause: unknown): StoreError {
  return new StoreError(
    'no-access',
    `no permission to ${what}: root makes the store, for itself and the group rkt`,
    { cause },
  );
}
