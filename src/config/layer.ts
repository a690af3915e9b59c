import { type Dirent, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { GivenFileError, readGivenText } from '../os/given-file.ts';
import { isSystemError } from '../os/syscall.ts';
import { claimsOf, DIRECTORIES, type Entry } from './entries.ts';
import { ConfigError } from './errors.ts';
import { LARGEST_FILE, parseEntry } from './parser.ts';

/**
 * Reads one layer of the configuration, such as /etc/rkt: the `*.json` files of its known directories. Other
 * files, directories and symlinks are passed over, as in rkt. Throws ConfigError.
 */
export function readLayer(directory: string): Entry[] {
  return Object.entries(DIRECTORIES).flatMap(([name, kinds]) => {
    const files = filesOf(join(directory, name));
    const entries = files.flatMap((path) => {
      const text = unlessHidden(() => readText(path));
      return text === undefined ? [] : [{ path, entry: parseEntry(text, path) }];
    });
    for (const { path, entry } of entries)
      if (!kinds.includes(entry.kind))
        throw new ConfigError(
          'wrong-kind',
          `${path}: kind ${entry.kind} does not belong in ${name}, which holds ${kinds.join(' and ')}`,
        );
    refuseDuplicates(entries);
    return entries.map(({ entry }) => entry);
  });
}

/** Of a regular file, as found; it may have become something else. */
function readText(path: string): string {
  try {
    return readGivenText(path, LARGEST_FILE);
  } catch (cause) {
    if (!(cause instanceof GivenFileError)) throw cause;
    throw new ConfigError('bad-file', cause.message, { cause });
  }
}

function filesOf(directory: string): string[] {
  return readDirectory(directory)
    .filter((file) => file.isFile() && file.name.endsWith('.json'))
    .map((file) => join(directory, file.name))
    .sort();
}

function readDirectory(path: string): Dirent[] {
  return unlessHidden(() => readdirSync(path, { withFileTypes: true })) ?? [];
}

/** Who may not look into auth.d (a member of the group rkt) goes without its credentials. */
function unlessHidden<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'EACCES')) return undefined;
    throw error;
  }
}

function refuseDuplicates(entries: readonly { path: string; entry: Entry }[]): void {
  const owners = new Map<string, string>();
  for (const { path, entry } of entries) {
    for (const claim of claimsOf(entry)) {
      const owner = owners.get(claim);
      if (owner !== undefined)
        throw new ConfigError('duplicate', `${path}: ${claim} is already set in ${owner}`);
      owners.set(claim, path);
    }
  }
}
