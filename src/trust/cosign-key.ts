import { constants, createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { TrustError } from './error.ts';
import { SHORTEST_RSA } from './openpgp.ts';

/** One way in which keys of a kind sign. */
interface Scheme {
  /** Node's name of the hash; undefined where the scheme has its own. */
  readonly hash?: string;
  readonly padding?: number;
  readonly saltLength?: number;
}

export interface CosignKey {
  /** `sha256:` of the key as it stands in certificates (SubjectPublicKeyInfo). */
  readonly fingerprint: string;
  readonly key: KeyObject;
  readonly schemes: readonly Scheme[];
}

// Not one list for all: Node's cryptography takes time to load, and is when its first constant is read.
function rsaSchemes(): readonly Scheme[] {
  const { RSA_PKCS1_PADDING, RSA_PKCS1_PSS_PADDING, RSA_PSS_SALTLEN_AUTO } = constants;
  return [
    { hash: 'sha256', padding: RSA_PKCS1_PADDING },
    { hash: 'sha256', padding: RSA_PKCS1_PSS_PADDING, saltLength: RSA_PSS_SALTLEN_AUTO },
  ];
}

/** cosign has always hashed by SHA-256; later versions also by the hash as long as the curve. */
const CURVE_SCHEMES: Readonly<Record<string, readonly Scheme[]>> = {
  prime256v1: [{ hash: 'sha256' }],
  secp384r1: [{ hash: 'sha256' }, { hash: 'sha384' }],
  secp521r1: [{ hash: 'sha256' }, { hash: 'sha512' }],
};

/** @throws TrustError bad-key, weak-key */
export function parseCosignKey(pem: string): CosignKey {
  const key = parsePem(pem);
  const spki = key.export({ type: 'spki', format: 'der' });
  const fingerprint = `sha256:${createHash('sha256').update(spki).digest('hex')}`;
  return { fingerprint, key, schemes: schemesOf(key, fingerprint) };
}

export function fitsKey({ key, schemes }: CosignKey, payload: Uint8Array, signature: Uint8Array): boolean {
  return schemes.some(({ hash, padding, saltLength }) =>
    verify(
      hash,
      payload,
      {
        key,
        ...(padding === undefined ? {} : { padding }),
        ...(saltLength === undefined ? {} : { saltLength }),
      },
      signature,
    ),
  );
}

// Node would make a public key of a private one: a private key on a host that verifies is a mistake.
function parsePem(pem: string): KeyObject {
  if (!pem.includes('-----BEGIN PUBLIC KEY-----')) throw new TrustError('bad-key', 'not a public key in PEM');
  try {
    return createPublicKey({ key: pem, format: 'pem', type: 'spki' });
  } catch (cause) {
    throw new TrustError('bad-key', 'not a public key in PEM', { cause });
  }
}

function schemesOf(key: KeyObject, fingerprint: string): readonly Scheme[] {
  const { modulusLength = 0, namedCurve = '' } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case 'rsa':
      if (modulusLength >= SHORTEST_RSA) return rsaSchemes();
      throw weak(fingerprint, `RSA of ${modulusLength} bits, at least ${SHORTEST_RSA} are needed`);
    case 'ec': {
      const schemes = Object.hasOwn(CURVE_SCHEMES, namedCurve) ? CURVE_SCHEMES[namedCurve] : undefined;
      if (schemes !== undefined) return schemes;
      throw weak(fingerprint, `the curve ${namedCurve} is not supported`);
    }
    case 'ed25519':
      return [{}];
    default:
      throw new TrustError(
        'bad-key',
        `key ${fingerprint} is of the kind ${key.asymmetricKeyType}, which does not sign`,
      );
  }
}

function weak(fingerprint: string, why: string): TrustError {
  return new TrustError('weak-key', `key ${fingerprint} is too weak: ${why}`);
}
