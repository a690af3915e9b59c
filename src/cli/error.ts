export type CliErrorCode = 'usage' | 'unprivileged' | 'interrupted' | 'some-failed';

/** What is wrong with a command line, or with how it is run. */
export class CliError extends Error {
  override readonly name = 'CliError';

  constructor(
    readonly code: CliErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
