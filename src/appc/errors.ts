import type { JsonProblem } from './json.ts';

export type AppcErrorCode = JsonProblem | 'unsupported-version' | 'no-app';

/** What is wrong with a manifest or a name, and where: `path` is the JSON path, empty for the whole value. */
export class AppcError extends Error {
  override readonly name = 'AppcError';

  constructor(
    readonly code: AppcErrorCode,
    readonly path: string,
    problem: string,
    options?: ErrorOptions,
  ) {
    super(path === '' ? problem : `${path}: ${problem}`, options);
  }
}

export function refuse(code: AppcErrorCode, path: string, problem: string, cause?: unknown): AppcError {
  return new AppcError(code, path, problem, cause === undefined ? undefined : { cause });
}
