export { cosignTag, verifyCosign } from './cosign.ts';
export { TrustError, type TrustErrorCode } from './error.ts';
export type { PublicKey } from './key.ts';
export {
  type KeyPolicy,
  type KeyReview,
  type KeySources,
  type TrustEvent,
  trustDiscovered,
  trustKeys,
} from './key-trust.ts';
export { type Keystore, openKeystore } from './keystore.ts';
export type { KeyScope } from './keystore-directories.ts';
export { loadLookaside } from './lookaside.ts';
export { verifySimpleSigning } from './simple-signing.ts';
export { requireClaim, type VerifiedSignature, verifyDetached } from './verification.ts';
