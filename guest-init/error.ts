import type { StartStep } from '../src/abi/guest.ts';
import { SystemError } from '../src/native/errors.ts';

/** What PID 1 does for the whole pod before it starts any app. */
export type PodStep =
  | 'root'
  | 'channels'
  | 'host'
  | 'entropy'
  | 'clock'
  | 'modules'
  | 'hostname'
  | 'interfaces'
  | 'groups'
  | 'sysctls'
  | 'shares'
  | 'disks'
  | 'volumes';

export type InitErrorCode = PodStep | StartStep;

/** `code` is the step that failed. */
export class InitError extends Error {
  override readonly name = 'InitError';

  constructor(
    readonly code: InitErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Runs one step; what goes wrong in it comes out as an InitError with the step's name. */
export function during<T>(step: InitErrorCode, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    if (cause instanceof InitError) throw cause;
    throw new InitError(step, messageOf(cause), { cause });
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The errno of a refused system call as a positive number; undefined for any other error. */
export function errnoOf(error: unknown): number | undefined {
  return error instanceof SystemError ? -error.errno : undefined;
}
