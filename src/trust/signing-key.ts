import { TrustError } from './error.ts';
import type { PublicKey } from './key.ts';
import { type Key, loadOpenpgp, SHORTEST_RSA, type Subkey, strictConfig } from './openpgp.ts';

/** The key or subkey that a signature claims to be from, and the trusted key that it belongs to. */
export interface Signer {
  readonly owner: PublicKey;
  readonly key: Key | Subkey;
}

/** What gpg makes unless it is told otherwise. Others are rare, and secp256k1 is for other things. */
const CURVES: readonly (string | undefined)[] = ['nistP256', 'nistP384', 'nistP521', 'ed25519Legacy'];

/**
 * Refuses a signer that must not sign, or must not have signed at that time. What is true of the owner's primary key is
 * true of each of its subkeys. @throws TrustError weak-key, revoked-key, signature-before-key, signature-after-key, expired-key,
 * key-may-not-sign
 */
export async function requireSigner({ owner, key }: Signer, signed: Date, now: Date): Promise<void> {
  const openpgp = await loadOpenpgp();
  const config = strictConfig(openpgp);
  requireStrength(owner.key);
  requireStrength(key);
  await requireNotRevoked(owner.key, key, now);
  await requireLifetime(owner.key, key, signed, now);
  try {
    // Looks for a valid self-signature with the flag for signing; of a subkey, also for its own consent to its owner.
    await owner.key.getSigningKey(key.getKeyID(), later(signed, now), undefined, config);
  } catch (cause) {
    throw new TrustError('key-may-not-sign', `key ${keyIdOf(key)} may not sign images`, { cause });
  }
}

export function keyIdOf(key: Key | Subkey): string {
  return key.getKeyID().toHex();
}

// A signer's clock may be ahead of ours: its key may be younger than now.
export function later(a: Date, b: Date): Date {
  return a > b ? a : b;
}

function requireStrength(key: Key | Subkey): void {
  const { algorithm, bits, curve } = key.getAlgorithmInfo();
  const weak = (why: string) => new TrustError('weak-key', `key ${keyIdOf(key)} is too weak: ${why}`);
  switch (algorithm) {
    case 'rsaEncryptSign':
    case 'rsaSign':
      if ((bits ?? 0) < SHORTEST_RSA) throw weak(`RSA of ${bits} bits, at least ${SHORTEST_RSA} are needed`);
      return;
    case 'ecdsa':
    case 'eddsaLegacy':
      if (!CURVES.includes(curve)) throw weak(`the curve ${curve} is not supported`);
      return;
    case 'ed25519':
      return;
    case 'dsa':
      throw weak('DSA');
    default:
      throw new TrustError('key-may-not-sign', `key ${keyIdOf(key)} may not sign: its kind is ${algorithm}`);
  }
}

async function requireNotRevoked(owner: Key, key: Key | Subkey, now: Date): Promise<void> {
  if (await owner.isRevoked(undefined, undefined, now)) throw revoked(owner);
  if (key === owner || !('bindingSignatures' in key)) return;
  const [binding] = key.bindingSignatures;
  if (binding !== undefined && (await key.isRevoked(binding, owner.keyPacket, now))) throw revoked(key);
}

function revoked(key: Key | Subkey): TrustError {
  return new TrustError('revoked-key', `key ${keyIdOf(key)} has been revoked`);
}

async function requireLifetime(owner: Key, key: Key | Subkey, signed: Date, now: Date): Promise<void> {
  const id = keyIdOf(key);
  const made = key.getCreationTime();
  if (signed < made) {
    throw new TrustError(
      'signature-before-key',
      `signature was made ${signed.toISOString()}, before its key ${id} (${made.toISOString()})`,
    );
  }
  for (const one of new Set([owner, key])) {
    const end = await one.getExpirationTime();
    if (!(end instanceof Date)) continue; // never, or not a valid key: that has an error of its own
    const expired = `key ${keyIdOf(one)} expired ${end.toISOString()}`;
    if (signed >= end) {
      throw new TrustError(
        'signature-after-key',
        `signature was made ${signed.toISOString()}, but its ${expired}`,
      );
    }
    if (now >= end) throw new TrustError('expired-key', expired);
  }
}
