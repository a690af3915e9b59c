import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ACIdentifier } from '../appc/index.ts';
import { ensureSharedDirectory } from '../os/shared-directory.ts';
import { isSystemError } from '../os/syscall.ts';

/** What a key is trusted for: every image, or those whose name begins with the elements of a prefix. */
export type KeyScope = { readonly kind: 'root' } | { readonly kind: 'prefix'; readonly prefix: ACIdentifier };

// As `/etc/rkt` itself is made.
const DIRECTORY_MODE = 0o2775;
const ADMINISTRATORS = 'rkt-admin';

export interface KeystoreDirectories {
  /** The vendor's: /usr/lib/rkt. */
  readonly systemDirectory: string;
  /** The administrator's, which wins: /etc/rkt. */
  readonly localDirectory: string;
}

export function scopeDirectory(configDirectory: string, scope: KeyScope): string {
  const top = join(configDirectory, 'trustedkeys');
  switch (scope.kind) {
    case 'root':
      return join(top, 'root.d');
    case 'prefix':
      // An AC identifier has no empty element and none that begins with a dot: it cannot lead elsewhere.
      return join(top, 'prefix.d', scope.prefix);
    default:
      return scope satisfies never;
  }
}

/**
 * Where keys for an image may lie, in the order in which a later one overrides an earlier one with the same fingerprint: as in rkt, the
 * local keys of any prefix come after the vendor's. rkt compared prefixes as text, and took keys of `example.com/a`
 * for `example.com/ab`.
 */
export function directoriesFor(directories: KeystoreDirectories, name: ACIdentifier): readonly string[] {
  const { systemDirectory, localDirectory } = directories;
  const elements = name.split('/');
  const below = (directory: string) =>
    elements.map((_, index) => join(directory, 'trustedkeys', 'prefix.d', ...elements.slice(0, index + 1)));
  return [
    scopeDirectory(systemDirectory, { kind: 'root' }),
    scopeDirectory(localDirectory, { kind: 'root' }),
    ...below(systemDirectory),
    ...below(localDirectory),
  ];
}

/** The names of the key files in a directory, which need not exist. What a killed `add` has left is none. */
export function keyFileNames(directory: string): readonly string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => !entry.isDirectory() && !entry.name.endsWith('.tmp'))
      .map(({ name }) => name)
      .sort();
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}

/** Makes a directory of the keystore and those above it, for administrators of rkt who need not be root. */
export function makeKeystoreDirectory(path: string): void {
  const parent = dirname(path);
  if (!existsSync(parent)) makeKeystoreDirectory(parent);
  ensureSharedDirectory(path, DIRECTORY_MODE, ADMINISTRATORS);
}
