import { closeSync, constants, fchmodSync, fstatSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { exclusive, type Lock, shared, tryExclusive } from '../os/lock.ts';
import { PLAINLY } from '../os/shared-file.ts';
import { isSystemError } from '../os/syscall.ts';
import { removeAny } from '../os/tree.ts';
import { namesIn } from './names.ts';

/**
 * Locks by name, each a file. What a lock stands for may go, and its file with it: a lock counts only if its file is still the
 * one of that name.
 */
export class StoreLocks {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Waits until nobody has the lock, or `signal` aborts. */
  exclusive(name: string, signal?: AbortSignal): Promise<Lock> {
    return this.#valid(name, () => exclusive(this.#ensure(name), signal));
  }

  /** Waits until nobody has the lock for itself, or `signal` aborts. */
  shared(name: string, signal?: AbortSignal): Promise<Lock> {
    return this.#valid(name, () => shared(this.#ensure(name), signal));
  }

  /** Undefined when somebody has the lock, shared or not. */
  tryExclusive(name: string): Lock | undefined {
    const lock = this.#tryExclusive(name);
    if (lock === undefined || this.#isCurrent(name, lock)) return lock;
    lock.release();
    return undefined;
  }

  /** Releases an exclusive lock for the last time: what it stood for is gone. */
  retire(name: string, lock: Lock): void {
    removeAny(join(this.#directory, name));
    lock.release();
  }

  /** Removes the files of locks that nobody has. */
  sweep(): void {
    for (const name of namesIn(this.#directory)) {
      const lock = this.tryExclusive(name);
      if (lock !== undefined) this.retire(name, lock);
    }
  }

  async #valid(name: string, take: () => Promise<Lock>): Promise<Lock> {
    for (;;) {
      const lock = await take().catch(unlessGone);
      if (lock !== undefined && this.#isCurrent(name, lock)) return lock;
      lock?.release();
    }
  }

  #tryExclusive(name: string): Lock | undefined {
    try {
      return tryExclusive(this.#ensure(name));
    } catch (error) {
      return unlessGone(error);
    }
  }

  #isCurrent(name: string, lock: Lock): boolean {
    const named = statSync(join(this.#directory, name), { bigint: true, throwIfNoEntry: false });
    return named !== undefined && named.ino === fstatSync(lock.fd, { bigint: true }).ino;
  }

  // For the group too, whatever the umask is: its members take part.
  #ensure(name: string): string {
    const path = join(this.#directory, name);
    const fd = openLockFile(path);
    try {
      fchmodSync(fd, 0o660);
    } catch (error) {
      // Somebody else's file has its mode already.
      if (!isSystemError(error, 'EPERM')) throw error;
    } finally {
      closeSync(fd);
    }
    return path;
  }
}

/** A directory, a link or a fifo that somebody has put there goes: a lock is for everybody. */
function openLockFile(path: string): number {
  const open = () => openSync(path, constants.O_CREAT | PLAINLY, 0o660);
  try {
    return open();
  } catch (error) {
    if (!isSystemError(error, 'EISDIR', 'ELOOP', 'ENXIO')) throw error;
    removeAny(path);
    return open();
  }
}

/** Undefined when the file went between its making and its opening: whoever had the lock has retired it. */
function unlessGone(error: unknown): undefined {
  if (!isSystemError(error, 'ENOENT')) throw error;
}
