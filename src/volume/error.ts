export type VolumeErrorCode = 'bad-name' | 'no-volume' | 'exists' | 'bad-record' | 'no-access';

export class VolumeError extends Error {
  override readonly name = 'VolumeError';

  constructor(
    readonly code: VolumeErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
