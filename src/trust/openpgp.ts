import type { Config } from 'openpgp';

export type { Config, Key, SignaturePacket, Subkey } from 'openpgp';

type Openpgp = typeof import('openpgp');

/** OpenPGP.js, loaded when there is something to verify: it costs more than the rest of the command. */
export function loadOpenpgp(): Promise<Openpgp> {
  return import('openpgp');
}

/** In bits. */
export const SHORTEST_RSA = 2048;

/** A statement about an image is a few hundred bytes; compressed, it could claim to be gigabytes. */
const LARGEST_MESSAGE = 1024 * 1024;

/** What of OpenPGP.js's own policy is stricter here. Its defaults refuse MD5, RIPEMD-160, DSA, ElGamal and secp256k1. */
export function strictConfig({ config }: Openpgp): Config {
  return { ...config, minRSABits: SHORTEST_RSA, maxDecompressedMessageSize: LARGEST_MESSAGE };
}
