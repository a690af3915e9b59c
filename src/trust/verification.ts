import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { ACIdentifier } from '../appc/index.ts';
import { noneGood, TrustError } from './error.ts';
import type { PublicKey } from './key.ts';
import type { Keystore } from './keystore.ts';
import { loadOpenpgp, type SignaturePacket, strictConfig } from './openpgp.ts';
import { type Claim, claimOf, readSignatures, signersOf } from './signature.ts';
import { keyIdOf, later } from './signing-key.ts';

const READ_SIZE = 1024 * 1024;

/** Whose signature it was. */
export interface VerifiedSignature {
  /** Of the trusted key: lower-case hex. */
  readonly fingerprint: string;
  /** Of the key or subkey that signed: 16 hex digits. */
  readonly keyId: string;
  /** Whose key it is, in its own words: any text, which is not for a terminal as it is. */
  readonly identities: readonly string[];
}

export interface VerificationOptions {
  readonly now?: Date;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Verifies a detached signature of an image by the keys that are trusted for its name; of several signatures in the file, one is enough. The
 * content, a file's path or its bytes as they arrive, is read once, and not at all where no signature could count.
 * @throws TrustError by its code, the check that failed
 */
export async function verifyDetached(
  keystore: Keystore,
  name: ACIdentifier,
  content: string | AsyncIterable<Uint8Array>,
  signature: Uint8Array,
  options: VerificationOptions = {},
): Promise<VerifiedSignature> {
  const packets = await readSignatures(signature);
  const bytes = typeof content === 'string' ? readWhenWanted(content) : content;
  return verifyContent(
    { keys: await keystore.keysFor(name), content: bytes, packets, subject: name },
    options,
  );
}

/**
 * Refuses a detached signature that no content could make good: made by nobody who is trusted for this name, too weak, too old. To be
 * asked before the content is fetched. @throws TrustError as `verifyDetached`
 */
export async function requireClaim(
  keystore: Keystore,
  name: ACIdentifier,
  signature: Uint8Array,
  { now = new Date() }: VerificationOptions = {},
): Promise<void> {
  const packets = await readSignatures(signature);
  const { claims, refusals } = await examine(await keystore.keysFor(name), packets, now);
  if (claims.length === 0) throw noneGood(refusals, name);
}

export interface SignedContent {
  readonly keys: readonly PublicKey[];
  readonly content: AsyncIterable<Uint8Array>;
  readonly packets: readonly SignaturePacket[];
  /** What is signed, for messages. */
  readonly subject: string;
}

/** As `verifyDetached`, with what it has found. */
export async function verifyContent(
  { keys, content, packets, subject }: SignedContent,
  { now = new Date(), signal }: VerificationOptions,
): Promise<VerifiedSignature> {
  const { claims, refusals } = await examine(keys, packets, now);
  const hashes = new Map<string, Hash>();
  const hashed = claims.map((claim) => ({ claim, hash: hashOf(hashes, claim.algorithm) }));
  if (claims.length > 0) await feed([...hashes.values()], content, signal);
  for (const { claim, hash } of hashed) {
    const refusal = await check(claim, hash, now);
    if (refusal === undefined) return signatureOf(claim);
    refusals.push(refusal);
  }
  throw noneGood(refusals, subject);
}

/** Which signatures could count, and why the others cannot. */
async function examine(keys: readonly PublicKey[], packets: readonly SignaturePacket[], now: Date) {
  const claims: Claim[] = [];
  const refusals: TrustError[] = [];
  for (const packet of packets) {
    const signers = signersOf(packet, keys);
    if (signers.length === 0) refusals.push(unknownSigner(packet));
    for (const signer of signers) {
      try {
        claims.push(await claimOf(packet, signer, now));
      } catch (error) {
        if (!(error instanceof TrustError)) throw error;
        refusals.push(error);
      }
    }
  }
  return { claims, refusals };
}

function unknownSigner({ issuerKeyID }: SignaturePacket): TrustError {
  const id = issuerKeyID.toHex();
  return new TrustError(
    'unknown-signer',
    `openpgp: signature made by unknown entity${id === '' ? '' : `, key ${id}`}`,
  );
}

async function* readWhenWanted(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  yield* createReadStream(path, { highWaterMark: READ_SIZE });
}

/** One for all signatures of the same algorithm. */
function hashOf(hashes: Map<string, Hash>, algorithm: string): Hash {
  const hash = hashes.get(algorithm) ?? createHash(algorithm);
  hashes.set(algorithm, hash);
  return hash;
}

// OpenPGP.js can verify a stream only by keeping what it has passed on: memory would grow with the image.
async function feed(
  hashes: readonly Hash[],
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<void> {
  for await (const chunk of content) {
    signal?.throwIfAborted();
    for (const hash of hashes) hash.update(chunk);
  }
}

/** Why a claim is not true, or undefined when it is. */
async function check(claim: Claim, hash: Hash, now: Date): Promise<TrustError | undefined> {
  const { packet, signer, signed } = claim;
  const openpgp = await loadOpenpgp();
  try {
    // What OpenPGP.js itself does with a signature whose content went by as a stream. If it ever stopped looking there,
    // it would find no content to hash, and no signature would be good.
    Object.assign(packet, { hashed: digestOf(packet, hash) });
    const { binary } = openpgp.enums.signature;
    const nothing = new Uint8Array();
    const config = strictConfig(openpgp);
    await packet.verify(signer.key.keyPacket, binary, nothing, later(signed, now), true, config);
    return undefined;
  } catch (cause) {
    return new TrustError('invalid-signature', `openpgp: invalid signature by key ${keyIdOf(signer.key)}`, {
      cause,
    });
  }
}

/** What is signed: the content, the signature's own hashed part, and the length of that (RFC 9580, 5.2.4). */
function digestOf({ version, signatureData }: SignaturePacket, hash: Hash): Uint8Array {
  const own = signatureData ?? new Uint8Array();
  const trailer = Buffer.from([version, 0xff, 0, 0, 0, 0]);
  trailer.writeUInt32BE(own.length, 2);
  return hash.copy().update(own).update(trailer).digest();
}

function signatureOf({ signer: { owner, key } }: Claim): VerifiedSignature {
  return { fingerprint: owner.fingerprint, keyId: keyIdOf(key), identities: owner.identities };
}
