export type ImageErrorCode =
  /** The image string names nothing that can be imported. */
  | 'bad-reference'
  | 'not-found'
  /** Well-formed, but not something this version takes. */
  | 'unsupported'
  /** No signature was verified and the caller did not say that it need not be. */
  | 'unverified'
  /** The archive as a whole: entries missing, unknown, twice. */
  | 'bad-layout'
  /** As a tar, a manifest or a document of OCI it is not what it must be: see the cause. */
  | 'bad-image'
  /** An entry that would reach outside of its target or trick what reads the result. */
  | 'hostile-entry'
  | 'duplicate-entry'
  | 'too-large'
  | 'digest-mismatch'
  | 'decompression'
  /** The system refused: disk full, no permission, a missing program. */
  | 'system';

/** What is wrong with an image, by its own name or the entry's. */
export class ImageError extends Error {
  override readonly name = 'ImageError';

  constructor(
    readonly code: ImageErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
