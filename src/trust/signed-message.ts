import { isBinary } from './armor.ts';
import { TrustError } from './error.ts';
import { loadOpenpgp, type SignaturePacket, strictConfig } from './openpgp.ts';
import { LARGEST_SIGNATURE, requireSignatures } from './signature.ts';

/** What `gpg --sign` makes: content and its signatures in one, compressed or not (RFC 9580, 10.3). */
export interface SignedMessage {
  readonly content: Uint8Array;
  readonly signatures: readonly SignaturePacket[];
}

/** @throws TrustError malformed-signature, too-large */
export async function readSignedMessage(file: Uint8Array): Promise<SignedMessage> {
  if (file.length > LARGEST_SIGNATURE) {
    throw new TrustError(
      'too-large',
      `signature has ${file.length} bytes, at most ${LARGEST_SIGNATURE} are allowed`,
    );
  }
  if (!isBinary(file)) throw malformed('not binary OpenPGP');
  try {
    return await parse(file);
  } catch (cause) {
    throw cause instanceof TrustError ? cause : malformed('not a signed message', cause);
  }
}

async function parse(file: Uint8Array): Promise<SignedMessage> {
  const openpgp = await loadOpenpgp();
  const config = strictConfig(openpgp);
  const message = await openpgp.readMessage({ binaryMessage: file, config });
  // With nobody's keys this verifies nothing; it is how OpenPGP.js gives the signatures behind the content.
  const results = await message.verify([], undefined, config);
  const content = message.getLiteralData();
  if (content === null || results.length === 0) throw malformed('a message without a signature');
  const found = await Promise.all(results.map(({ signature }) => signature));
  return { content, signatures: await requireSignatures(found.flatMap(({ packets }) => [...packets])) };
}

function malformed(problem: string, cause?: unknown): TrustError {
  return new TrustError('malformed-signature', `signature: ${problem}`, { cause });
}
