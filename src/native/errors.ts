import { errnoMeaning, errnoName } from './errno.ts';

export interface ErrorPlace {
  readonly path?: string;
  readonly dest?: string;
}

/** A refused system call, in the shape of Node's own: `code` is `ENOENT`, `errno` is negative. */
export class SystemError extends Error {
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;
  readonly path?: string;
  readonly dest?: string;

  constructor(syscall: string, errno: number, place: ErrorPlace = {}) {
    const number = Math.abs(errno);
    const where = place.path === undefined ? '' : ` '${place.path}'`;
    const to = place.dest === undefined ? '' : ` -> '${place.dest}'`;
    super(`${errnoName(number)}: ${errnoMeaning(number)}, ${syscall}${where}${to}`);
    this.name = 'SystemError';
    this.code = errnoName(number);
    this.errno = -number;
    this.syscall = syscall;
    if (place.path !== undefined) this.path = place.path;
    if (place.dest !== undefined) this.dest = place.dest;
  }
}

/** Whether an error is a refused system call with one of these codes. */
export function hasCode(error: unknown, ...codes: string[]): error is SystemError {
  return error instanceof SystemError && codes.includes(error.code);
}

/** Runs `action`; undefined where it is refused with one of these codes. */
export function unless<T>(codes: readonly string[], action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (hasCode(error, ...codes)) return undefined;
    throw error;
  }
}
