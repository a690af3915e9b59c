import { type BigIntStats, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type ImageID, parseImageID } from '../appc/index.ts';
import { replaceFile } from '../os/durable.ts';
import { isSystemError } from '../os/syscall.ts';
import type { StoreLocks } from './locks.ts';
import { sweepNotes } from './notes.ts';

/** A local file as it was when an image was read from it: if all of this is unchanged, so is the content. */
export interface FileIdentity {
  /** Names the file, by whatever path; a hash of that would take longer than all the rest. */
  readonly key: string;
  readonly stamp: string;
}

export function identifyFile(path: string): FileIdentity {
  const stats = statSync(path, { bigint: true });
  return { key: `${stats.dev}-${stats.ino}`, stamp: stampOf(stats) };
}

export interface SourceNote {
  readonly id: ImageID;
  /** Whether the file's signature was verified. */
  readonly isVerified: boolean;
}

const VERIFIED = 'verified';
/** For root, as its directory. */
const MODE = 0o600;

/**
 * Images by the files that they were read from, so that a second run does not read them again. For root alone: it says which image
 * the file of a stage1 is.
 */
export class SourceCache {
  readonly #directory: string;
  readonly #locks: StoreLocks;

  constructor(directory: string, locks: StoreLocks) {
    this.#directory = directory;
    this.#locks = locks;
  }

  find(identity: FileIdentity): SourceNote | undefined {
    const note = readNote(this.#path(identity));
    return note?.stamp === identity.stamp ? note : undefined;
  }

  async note(identity: FileIdentity, { id, isVerified }: SourceNote): Promise<void> {
    const lines = [identity.stamp, id, isVerified ? VERIFIED : 'unverified'];
    try {
      // A file may have several paths, and who reads it has the lock of one.
      using _lock = await this.#locks.exclusive(lockNameOf(identity.key));
      replaceFile(this.#path(identity), `${lines.join('\n')}\n`, MODE);
    } catch (error) {
      // Who is not root reads a file again.
      if (!isSystemError(error, 'EACCES', 'ENOENT')) throw error;
    }
  }

  /** Removes notes on images that are gone, and those that cannot be read. */
  sweep(isGone: (id: ImageID) => boolean): void {
    if (process.geteuid?.() === 0) sweepNotes(this.#directory, readNote, isGone);
  }

  #path(identity: FileIdentity): string {
    return join(this.#directory, identity.key);
  }
}

/** The lock that who writes the note of this name has; undefined: there is no such note. */
export function sourceLock(name: string): string | undefined {
  return /^\d+-\d+$/.test(name) ? lockNameOf(name) : undefined;
}

function lockNameOf(key: string): string {
  return `note-${key}`;
}

// Missing or damaged: a cache that does not answer costs a reading of the file, no more.
function readNote(path: string): (SourceNote & { readonly stamp: string }) | undefined {
  try {
    const [stamp = '', id = '', verified] = readFileSync(path, 'utf8').split('\n');
    return { stamp, id: parseImageID(id), isVerified: verified === VERIFIED };
  } catch {
    return undefined;
  }
}

function stampOf(stats: BigIntStats): string {
  return [stats.dev, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join(' ');
}
