import { closeSync, constants, openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { PLAINLY } from './shared-file.ts';
import { check, isSystemError, libc } from './syscall.ts';

const flock = libc('int flock(int fd, int operation)');
const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;
const LOCK_UN = 8;

/**
 * A flock(2) on a file or directory. It belongs to the open description: it survives the renaming of what is
 * locked, is released when the last copy of `fd` is closed, and so by the end of the process whatever its end.
 */
export class Lock implements Disposable {
  #open = true;

  constructor(
    readonly path: string,
    /** Close-on-exec: `replaceProcess` is told which fds to hand on. */
    readonly fd: number,
  ) {}

  /** Releases for every holder of a copy of `fd`. Calling it twice is harmless. */
  release(): void {
    if (!this.#open) return;
    this.#open = false;
    flock(this.fd, LOCK_UN);
    closeSync(this.fd);
  }

  /** Leaves it to those who have a copy of `fd`: it is released when the last of them has closed his. */
  leave(): void {
    if (!this.#open) return;
    this.#open = false;
    closeSync(this.fd);
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

/** Locks `path` against everybody, or undefined when somebody holds any lock. Throws when it cannot be opened. */
export function tryExclusive(path: string): Lock | undefined {
  return attempt(path, LOCK_EX);
}

/** Locks `path` against exclusive holders, or undefined when there is one. */
export function tryShared(path: string): Lock | undefined {
  return attempt(path, LOCK_SH);
}

/** As `tryExclusive`, waiting until it is free or `signal` aborts. */
export function exclusive(path: string, signal?: AbortSignal): Promise<Lock> {
  return wait(() => tryExclusive(path), signal);
}

/** As `tryShared`, waiting until it is free or `signal` aborts. */
export function shared(path: string, signal?: AbortSignal): Promise<Lock> {
  return wait(() => tryShared(path), signal);
}

/** Makes the file that is to be locked, where there is none. */
export function ensureLockFile(path: string): string {
  closeSync(openSync(path, constants.O_CREAT | PLAINLY, 0o660));
  return path;
}

function attempt(path: string, kind: number): Lock | undefined {
  const fd = openSync(path, PLAINLY);
  try {
    check(flock(fd, kind | LOCK_NB), 'flock', path);
    return new Lock(path, fd);
  } catch (error) {
    closeSync(fd);
    if (isSystemError(error, 'EAGAIN', 'EWOULDBLOCK')) return undefined;
    throw error;
  }
}

// Polled, not blocked on: a blocking flock would stop the whole process, and with it the holder when that is
// another task of the same process.
async function wait(take: () => Lock | undefined, signal: AbortSignal | undefined): Promise<Lock> {
  for (let pause = 5; ; pause = Math.min(pause * 2, 100)) {
    signal?.throwIfAborted();
    const lock = take();
    if (lock !== undefined) return lock;
    await delay(pause, undefined, { signal });
  }
}
