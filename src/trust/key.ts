import { dearmor } from './armor.ts';
import { TrustError } from './error.ts';
import { type Key, loadOpenpgp, strictConfig } from './openpgp.ts';

/** In bytes. A key with many certifications by others is large; one of a signer of images is a few kilobytes. */
export const LARGEST_KEY = 1024 * 1024;
/** In one file. */
const MOST_KEYS = 64;

/** An OpenPGP public key, as far as it is what it says: whether it may sign something is asked when it has. */
export interface PublicKey {
  /** Of the primary key: lower-case hex. */
  readonly fingerprint: string;
  readonly subkeyFingerprints: readonly string[];
  /** The user IDs that the key itself has certified: any text, which is not for a terminal as it is. */
  readonly identities: readonly string[];
  readonly armored: string;
  readonly key: Key;
}

/**
 * The keys of a file, armored or binary. `name` is what the file is called in errors.
 * @throws TrustError bad-key, too-large
 */
export async function readPublicKeys(file: Uint8Array, name: string): Promise<readonly PublicKey[]> {
  if (file.length > LARGEST_KEY)
    throw new TrustError(
      'too-large',
      `${name}: a key file of more than ${LARGEST_KEY} bytes, at most that many are allowed`,
    );
  const packets = dearmor(file, 'PUBLIC KEY BLOCK', name, 'bad-key');
  const keys = await parse(packets, name);
  if (keys.length > MOST_KEYS)
    throw new TrustError('too-large', `${name}: ${keys.length} keys, at most ${MOST_KEYS} are allowed`);
  return Promise.all(keys.map((key) => describe(key, name)));
}

async function parse(packets: Uint8Array, name: string): Promise<readonly Key[]> {
  const openpgp = await loadOpenpgp();
  try {
    return await openpgp.readKeys({ binaryKeys: packets, config: strictConfig(openpgp) });
  } catch (cause) {
    throw new TrustError('bad-key', `${name}: not an OpenPGP public key`, { cause });
  }
}

async function describe(key: Key, name: string): Promise<PublicKey> {
  const fingerprint = key.getFingerprint();
  if (key.isPrivate())
    throw new TrustError('bad-key', `${name}: key ${fingerprint} is a private key, expected public ones`);
  return {
    fingerprint,
    subkeyFingerprints: key.subkeys.map((subkey) => subkey.getFingerprint()),
    identities: await identitiesOf(key),
    armored: key.armor(),
    key,
  };
}

// Anybody can add a name to somebody's key, but only its owner can certify it.
async function identitiesOf(key: Key): Promise<readonly string[]> {
  const now = new Date();
  const names = key.users.map(async (user) => {
    const isCertified = await user.verify(now).catch(() => false);
    return isCertified && user.userID !== null ? [user.userID.userID] : [];
  });
  return (await Promise.all(names)).flat();
}
