import { readdirSync } from 'node:fs';
import { isSystemError } from '../os/syscall.ts';

/** The names in a directory of the store, which may not have been made yet. */
export function namesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return [];
    throw error;
  }
}
