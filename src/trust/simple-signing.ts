import type { ACIdentifier } from '../appc/index.ts';
import { type Digest, type DockerReference, repositoryName } from '../oci/index.ts';
import { noneGood, TrustError } from './error.ts';
import type { PublicKey } from './key.ts';
import type { Keystore } from './keystore.ts';
import { readSignedMessage } from './signed-message.ts';
import { readStatement, requireStatementOf } from './statement.ts';
import { type VerificationOptions, type VerifiedSignature, verifyContent } from './verification.ts';

export interface SimpleSigning {
  /** What lay beside the image: files of `signature-N`. */
  readonly signatures: readonly Uint8Array[];
  readonly manifestDigest: Digest;
  /** What the user asked for. */
  readonly reference: DockerReference;
  readonly keystore: Keystore;
  /** The image's name for the keystore: keys of its prefixes count. */
  readonly keyName: ACIdentifier;
}

/**
 * Verifies that one of the signatures, made by `skopeo copy --sign-by` or `podman push --sign-by`, is by a trusted key and about this image
 * (containers/image, atomic-signature.md). @throws TrustError by its code, the check that failed
 */
export async function verifySimpleSigning(
  { signatures, manifestDigest, reference, keystore, keyName }: SimpleSigning,
  options: VerificationOptions = {},
): Promise<VerifiedSignature> {
  const keys = await keystore.keysFor(keyName);
  const refusals: TrustError[] = [];
  for (const signature of signatures) {
    try {
      return await verifyOne(signature, keys, { manifestDigest, reference }, options);
    } catch (error) {
      if (!(error instanceof TrustError)) throw error;
      refusals.push(error);
    }
  }
  throw noneGood(refusals, repositoryName(reference));
}

async function verifyOne(
  signature: Uint8Array,
  keys: readonly PublicKey[],
  { manifestDigest, reference }: Pick<SimpleSigning, 'manifestDigest' | 'reference'>,
  options: VerificationOptions,
): Promise<VerifiedSignature> {
  const { content, signatures: packets } = await readSignedMessage(signature);
  const signed = { keys, content: once(content), packets, subject: repositoryName(reference) };
  // Not a word of the content is believed before.
  const verified = await verifyContent(signed, options);
  requireStatementOf(readStatement(content, 'atomic container signature'), manifestDigest, reference);
  return verified;
}

async function* once(content: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield content;
}
