import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * A directory that is made unless it is there, beside its place, so that it is whole or not there. Another worker may make it at the
 * same time: whoever is first has made it for both.
 */
export async function madeOnce(
  directory: string,
  make: (unfinished: string) => Promise<void>,
): Promise<string> {
  if (existsSync(directory)) return directory;
  mkdirSync(dirname(directory), { recursive: true });
  const unfinished = `${directory}.${process.pid}`;
  try {
    await make(unfinished);
    putInPlace(unfinished, directory);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return directory;
}

/** Another may have made the same meanwhile: then it stays as it is. */
export function putInPlace(unfinished: string, directory: string): void {
  try {
    renameSync(unfinished, directory);
  } catch (error) {
    if (!existsSync(directory)) throw error;
  }
}
