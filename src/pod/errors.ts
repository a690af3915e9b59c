export type PodErrorCode =
  | 'bad-transition'
  | 'bad-name'
  | 'no-match'
  | 'ambiguous'
  | 'bad-file'
  | 'raced'
  | 'timed-out';

export class PodError extends Error {
  override readonly name = 'PodError';

  constructor(
    readonly code: PodErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
