export type ImageBuildErrorCode = 'BAD_KERNEL' | 'MISSING_MODULE' | 'BAD_ENTRY';

export class ImageBuildError extends Error {
  readonly code: ImageBuildErrorCode;

  constructor(code: ImageBuildErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ImageBuildError';
    this.code = code;
  }
}
