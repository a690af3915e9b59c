export type TrustErrorCode =
  /** A file of the keystore is not what its name says. */
  | 'bad-keystore'
  /** Not an OpenPGP public key, or one without a valid signature by itself. */
  | 'bad-key'
  /** A key, a signature or a payload that is larger than any honest one. */
  | 'too-large'
  /** A key from where anybody on the way could have changed it. */
  | 'insecure'
  | 'no-terminal'
  /** Not an OpenPGP signature: neither binary nor armored, truncated, or something else in its place. */
  | 'malformed-signature'
  | 'unsupported-signature'
  | 'text-signature'
  | 'unsigned'
  | 'unknown-signer'
  | 'invalid-signature'
  | 'weak-hash'
  | 'weak-key'
  | 'revoked-key'
  | 'expired-key'
  | 'key-may-not-sign'
  | 'expired-signature'
  | 'signature-from-future'
  | 'signature-before-key'
  | 'signature-after-key'
  /** What was signed is no statement about an image, or one about another image, or another name. */
  | 'bad-payload'
  | 'wrong-image'
  | 'wrong-name'
  | 'bad-lookaside';

/** Why something is not trusted: the check that failed. */
export class TrustError extends Error {
  override readonly name = 'TrustError';

  constructor(
    readonly code: TrustErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Of several signatures one must be good: what to say when none is. Those of unknown signers tell least. */
export function noneGood(refusals: readonly TrustError[], subject: string): TrustError {
  const telling = refusals.filter(({ code }) => code !== 'unknown-signer');
  const [first, ...others] = telling.length > 0 ? telling : refusals;
  if (first === undefined) return new TrustError('unsigned', `${subject} is not signed`);
  if (others.length === 0) return first;
  const all = [first, ...others].map(({ message }) => message);
  return new TrustError(first.code, `no signature of ${subject} counts: ${[...new Set(all)].join('; ')}`);
}
