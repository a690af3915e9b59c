export type TarErrorCode =
  | 'truncated'
  | 'trailing-data'
  | 'bad-header'
  | 'bad-pax'
  | 'bad-sparse'
  | 'unsupported'
  | 'limit';

/** What is wrong with an archive as a tar, before anything is said about what its names mean. */
export class TarError extends Error {
  override readonly name = 'TarError';

  constructor(
    readonly code: TarErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
