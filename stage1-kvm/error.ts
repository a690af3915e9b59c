export type KvmErrorCode =
  /** The pod's directory is not as stage0 must leave it. */
  | 'bad-pod'
  /** The machine lacks something, or refuses it. */
  | 'unsupported'
  /** A network that there is not, or whose configuration is wrong. */
  | 'bad-network'
  /** A user or group that the image does not have. */
  | 'unknown-user'
  /** QEMU, virtiofsd or the guest failed. */
  | 'machine-failed'
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
