export type ConfigErrorCode = 'bad-file' | 'duplicate' | 'wrong-kind' | 'overlap' | 'credential-helper';

/** What is wrong with a configuration file, or what it names; the message names it first. */
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
