import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ACIdentifier } from '../appc/index.ts';
import { replaceFile } from '../os/durable.ts';
import { isSystemError } from '../os/syscall.ts';
import { TrustError } from './error.ts';
import { LARGEST_KEY, type PublicKey, readPublicKeys } from './key.ts';
import {
  directoriesFor,
  type KeyScope,
  type KeystoreDirectories,
  keyFileNames,
  makeKeystoreDirectory,
  scopeDirectory,
} from './keystore-directories.ts';

const FILE_MODE = 0o644;

export interface StoredKey {
  readonly path: string;
  readonly key: PublicKey;
}

/** The keys that signatures of images are checked with, on disk as rkt 1.30 keeps them. */
export interface Keystore {
  /**
   * The keys that may sign an image of this name: those of the root, of the name and of the prefixes above it.
   * @throws TrustError bad-keystore, naming the file that is not the key its name says
   */
  keysFor(name: ACIdentifier): Promise<readonly PublicKey[]>;
  /** Trusts a key from now on, in the administrator's directory. One of the same fingerprint is replaced. */
  add(scope: KeyScope, key: PublicKey): StoredKey;
}

/** Reads nothing yet, and makes nothing before a key is added. */
export function openKeystore(directories: KeystoreDirectories): Keystore {
  return {
    keysFor: async (name) => {
      const keys = new Map<string, PublicKey>();
      for (const directory of directoriesFor(directories, name)) {
        for (const file of keyFileNames(directory)) {
          const content = readBounded(join(directory, file));
          // Removed since the directory was read.
          if (content === undefined) continue;
          // An empty file takes the trust from the vendor's key of its name.
          if (content.length === 0) keys.delete(file);
          else keys.set(file, await readKey(content, directory, file));
        }
      }
      return [...keys.values()];
    },
    add: (scope, key) => {
      const directory = scopeDirectory(directories.localDirectory, scope);
      makeKeystoreDirectory(directory);
      const path = join(directory, key.fingerprint);
      replaceFile(path, key.armored, FILE_MODE);
      return { path, key };
    },
  };
}

async function readKey(content: Uint8Array, directory: string, name: string): Promise<PublicKey> {
  const path = join(directory, name);
  const [first] = await readPublicKeys(content, path).catch((cause: unknown) => {
    throw new TrustError('bad-keystore', `keystore file ${path} cannot be read`, { cause });
  });
  // Only the first is what the file is named after and what was shown when it was trusted: rkt kept files of several
  // keys whole, and used no other either.
  if (first?.fingerprint === name) return first;
  throw new TrustError(
    'bad-keystore',
    `keystore file ${path} holds the key ${first?.fingerprint}, which is not its name`,
  );
}

function readBounded(path: string): Uint8Array | undefined {
  try {
    const { size } = requireFile(path);
    if (size <= LARGEST_KEY) return readFileSync(path);
    throw new TrustError('bad-keystore', `keystore file ${path} has ${size} bytes, which no key has`);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}

// A fifo in its place would never end.
function requireFile(path: string) {
  const stats = statSync(path);
  if (!stats.isFile()) throw new TrustError('bad-keystore', `keystore file ${path} is not a regular file`);
  return stats;
}
