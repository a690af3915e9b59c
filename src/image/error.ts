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
  /** Nothing answered, or not to the end, however often it was asked. */
  | 'network'
  /** Plain http, credentials over it, or a certificate that proves nothing, and nobody has allowed it. */
  | 'insecure'
  /** 401, 403, 429, 5xx and any other status that is no answer to what was asked. */
  | 'unauthorized'
  | 'forbidden'
  | 'rate-limited'
  | 'server'
  | 'bad-answer'
  /** No address was found for an image name. */
  | 'discovery'
  /** The image is not the one that was asked for: its name, a label, its id. */
  | 'wrong-image'
  /** What an image depends on is not there, and nobody may be asked for it. */
  | 'missing-dependency'
  /** What the store has of an image is not what was fetched any more. */
  | 'damaged'
  /** What the user asked for cannot be put where something else is. */
  | 'output-exists'
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
