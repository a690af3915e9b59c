import type { JsonProblem } from '../appc/json.ts';

export type OciErrorCode =
  | JsonProblem
  | 'unsupported-media-type'
  | 'unsupported-version'
  | 'unsupported-platform'
  | 'no-matching-platform'
  | 'no-matching-tag'
  | 'ambiguous'
  | 'layer-mismatch';

/** What is wrong with an OCI or Docker document, and where: `path` is the JSON path, empty for the whole. */
export class OciError extends Error {
  override readonly name = 'OciError';

  constructor(
    readonly code: OciErrorCode,
    readonly path: string,
    problem: string,
    options?: ErrorOptions,
  ) {
    super(path === '' ? problem : `${path}: ${problem}`, options);
  }
}

export function refuse(code: OciErrorCode, path: string, problem: string, cause?: unknown): OciError {
  return new OciError(code, path, problem, cause === undefined ? undefined : { cause });
}
