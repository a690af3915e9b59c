export type KvmErrorCode =
  /** The machine lacks something, or refuses it. */
  | 'unsupported'
  /** QEMU, virtiofsd or the guest failed. */
  | 'vessel-failed'
  /** virtiofsd has ended in order, as it does when QEMU is gone. */
  | 'share-ended';

export class KvmError extends Error {
  override readonly name = 'KvmError';

  constructor(
    readonly code: KvmErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
