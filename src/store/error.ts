export type StoreErrorCode =
  /** The three answers of rkt to an image id that is not one image's. */
  | 'no-image'
  | 'id-too-short'
  | 'ambiguous-id'
  | 'bad-record'
  /** For root and the group `rkt` only. */
  | 'no-access'
  /** Others than root could have put in there what root is about to believe. */
  | 'unsafe'
  | 'layer-missing'
  /** Two digests share the beginning that layers are named by, or somebody changed the store. */
  | 'layer-mismatch';

export class StoreError extends Error {
  override readonly name = 'StoreError';

  constructor(
    readonly code: StoreErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
