export type ConfigErrorCode = 'bad-file' | 'duplicate' | 'wrong-kind';

/** What is wrong with a configuration file; the message starts with its path. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(
    readonly code: ConfigErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
