export type BuildErrorCode =
  | 'NO_DEBIAN_MIRROR'
  | 'NO_SUCH_VERSION'
  | 'COMMAND_FAILED'
  | 'BAD_CONFIG'
  | 'BAD_KERNEL'
  | 'MISSING_MODULE'
  | 'BAD_ARCHIVE'
  | 'NOT_BUILT'
  | 'DEMO_FAILED'
  | 'BAD_PACKAGE';

export class BuildError extends Error {
  readonly code: BuildErrorCode;

  constructor(code: BuildErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'BuildError';
    this.code = code;
  }
}
