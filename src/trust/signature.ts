import { dearmor } from './armor.ts';
import { TrustError } from './error.ts';
import type { PublicKey } from './key.ts';
import { loadOpenpgp, type SignaturePacket, strictConfig } from './openpgp.ts';
import { requireSigner, type Signer } from './signing-key.ts';

/** In bytes: rkt's signature files are a few hundred. */
export const LARGEST_SIGNATURE = 64 * 1024;
/** In one file: each costs a verification. */
export const MOST_SIGNATURES = 16;
/** How far a signer's clock may be ahead of ours, in milliseconds. */
const CLOCK_SKEW = 24 * 3600 * 1000;

/** Node's names of the hash algorithms that may stand behind a signature. */
const HASHES: ReadonlyMap<number, string> = new Map([
  [8, 'sha256'],
  [9, 'sha384'],
  [10, 'sha512'],
  [11, 'sha224'],
  [12, 'sha3-256'],
  [14, 'sha3-512'],
]);
/** Two files with one hash of these kinds can be made. */
const WEAK_HASHES: ReadonlyMap<number, string> = new Map([
  [1, 'MD5'],
  [2, 'SHA-1'],
  [3, 'RIPEMD-160'],
]);

/** A signature that would count if it fits the content: made by a key that may, at a time when it might. */
export interface Claim {
  readonly packet: SignaturePacket;
  readonly signer: Signer;
  /** Of the hash, by Node's name. */
  readonly algorithm: string;
  readonly signed: Date;
}

/**
 * The signatures of a detached signature file, armored or binary.
 * @throws TrustError malformed-signature, too-large
 */
export async function readSignatures(file: Uint8Array): Promise<readonly SignaturePacket[]> {
  if (file.length > LARGEST_SIGNATURE) {
    throw new TrustError(
      'too-large',
      `signature file has ${file.length} bytes, at most ${LARGEST_SIGNATURE} are allowed`,
    );
  }
  const packets = dearmor(file, 'SIGNATURE', 'signature file', 'malformed-signature');
  const openpgp = await loadOpenpgp();
  try {
    const { packets: list } = await openpgp.readSignature({
      binarySignature: packets,
      config: strictConfig(openpgp),
    });
    return await requireSignatures([...list]);
  } catch (cause) {
    if (cause instanceof TrustError) throw cause;
    throw new TrustError('malformed-signature', 'signature file: not OpenPGP signatures', { cause });
  }
}

/** What of a list of packets are signatures, which all must be. @throws TrustError too-large, unsupported-signature */
export async function requireSignatures(packets: readonly unknown[]): Promise<readonly SignaturePacket[]> {
  const { SignaturePacket } = await loadOpenpgp();
  if (packets.length > MOST_SIGNATURES) {
    throw new TrustError(
      'too-large',
      `${packets.length} signatures in one file, at most ${MOST_SIGNATURES} are allowed`,
    );
  }
  // OpenPGP.js sets aside what has a version or an algorithm that it does not know.
  const signatures = packets.filter((packet) => packet instanceof SignaturePacket);
  if (signatures.length > 0) return signatures;
  throw new TrustError('unsupported-signature', 'signature of a version or algorithm that is not supported');
}

/** Which of these keys a signature may be from. Key ids are short: there can be more than one. */
export function signersOf(packet: SignaturePacket, keys: readonly PublicKey[]): readonly Signer[] {
  return keys.flatMap((owner) =>
    [owner.key, ...owner.key.subkeys]
      .filter((key) => key.getKeyID().equals(packet.issuerKeyID))
      .map((key) => ({ owner, key })),
  );
}

/**
 * Checks all but whether a signature fits what was signed. @throws TrustError unsupported-signature, text-signature, weak-hash,
 * signature-from-future, expired-signature, and those of `requireSigner`
 */
export async function claimOf(packet: SignaturePacket, signer: Signer, now: Date): Promise<Claim> {
  const algorithm = await requireForm(packet);
  const signed = requireTime(packet, now);
  await requireSigner(signer, signed, now);
  return { packet, signer, algorithm, signed };
}

/** Gives the hash algorithm. */
async function requireForm(packet: SignaturePacket): Promise<string> {
  const { enums } = await loadOpenpgp();
  const { version, signatureType, hashAlgorithm } = packet;
  if (version !== 4) throw unsupported(`version ${version}`);
  if (signatureType === enums.signature.text) {
    throw new TrustError(
      'text-signature',
      'signature is one of text: it does not cover line ends, as an image needs',
    );
  }
  if (signatureType !== enums.signature.binary) throw unsupported(`type ${signatureType}`);
  const isUnknown = packet.unknownSubpackets.some(({ critical }) => critical);
  if (isUnknown || packet.rawNotations.some(({ critical }) => critical))
    throw unsupported('a critical part that is not understood');
  const algorithm = hashAlgorithm ?? 0;
  const weak = WEAK_HASHES.get(algorithm);
  if (weak !== undefined) throw new TrustError('weak-hash', `signature uses the weak hash algorithm ${weak}`);
  const hash = HASHES.get(algorithm);
  if (hash === undefined) throw unsupported(`hash algorithm ${algorithm}`);
  return hash;
}

function unsupported(what: string): TrustError {
  return new TrustError('unsupported-signature', `signature has ${what}, which is not supported`);
}

function requireTime(packet: SignaturePacket, now: Date): Date {
  // Part of every signature that OpenPGP.js reads.
  const signed = packet.created ?? new Date(Number.NaN);
  if (!(signed.getTime() <= now.getTime() + CLOCK_SKEW))
    throw new TrustError('signature-from-future', `signature is from the future: ${signed.toISOString()}`);
  const end = packet.getExpirationTime();
  if (end instanceof Date && end <= now)
    throw new TrustError('expired-signature', `signature expired ${end.toISOString()}`);
  return signed;
}
