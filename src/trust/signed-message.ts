import { isBinary } from './armor.ts';
import { TrustError } from './error.ts';
import { loadOpenpgp, type SignaturePacket, strictConfig } from './openpgp.ts';
import { LARGEST_SIGNATURE, requireSignatures } from './signature.ts';

/** What `gpg --sign` makes: content and its signatures in one, compressed or not (RFC 9580, 10.3). */
export interface SignedMessage {
  readonly content: Uint8Array;
  readonly signatures: readonly SignaturePacket[];
}

/** @throws TrustError malformed-signature, unsupported-signature, too-large */
export async function readSignedMessage(file: Uint8Array): Promise<SignedMessage> {
  if (file.length > LARGEST_SIGNATURE)
    throw new TrustError(
      'too-large',
      `signature of ${file.length} bytes, at most ${LARGEST_SIGNATURE} are allowed`,
    );
  if (!isBinary(file)) throw malformed('not binary OpenPGP');
  const openpgp = await loadOpenpgp();
  const message = await openpgp
    .readMessage({ binaryMessage: file, config: strictConfig(openpgp) })
    .catch((cause: unknown) => {
      throw malformed('not an OpenPGP message', cause);
    });
  const { packets } = message.unwrapCompressed();
  const literals = packets.filter((packet) => packet instanceof openpgp.LiteralDataPacket);
  const content = message.getLiteralData();
  if (literals.length !== 1 || content === null) throw malformed('not a signed message');
  const rest = [...packets].filter(
    (packet) =>
      !(packet instanceof openpgp.LiteralDataPacket) && !(packet instanceof openpgp.OnePassSignaturePacket),
  );
  if (rest.length === 0) throw malformed('a message without a signature');
  return { content, signatures: await requireSignatures(rest) };
}

function malformed(problem: string, cause?: unknown): TrustError {
  return new TrustError('malformed-signature', `signature: ${problem}`, { cause });
}
