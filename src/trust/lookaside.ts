import { readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Digest, digestAlgorithm, digestHex } from '../oci/index.ts';
import { isSystemError } from '../os/syscall.ts';
import { TrustError } from './error.ts';
import { LARGEST_SIGNATURE, MOST_SIGNATURES } from './signature.ts';

/** Fetches what is behind an http or https URL, of at most `limit` bytes; undefined when there is nothing. */
export type LoadSignature = (url: string, limit: number) => Promise<Uint8Array | undefined>;

/**
 * Where the signatures of an image are when they are not in its registry: below a base (http, https or file), numbered from 1
 * (containers/image, signature-protocols.md). `repositoryPath` is the repository without its registry: `library/busybox`.
 */
export function lookasideUrl(base: string, repositoryPath: string, digest: Digest, number: number): string {
  const url = parseBase(base);
  const directory = `${repositoryPath}@${digestAlgorithm(digest)}=${digestHex(digest)}`;
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/${directory}/signature-${number}`;
  return url.href;
}

/** The signatures of an image, until a number is missing. @throws TrustError too-large, and what `load` throws */
export async function loadLookaside(
  base: string,
  repositoryPath: string,
  digest: Digest,
  load: LoadSignature,
): Promise<readonly Uint8Array[]> {
  const signatures: Uint8Array[] = [];
  while (signatures.length < MOST_SIGNATURES) {
    const url = lookasideUrl(base, repositoryPath, digest, signatures.length + 1);
    const signature = url.startsWith('file:') ? readSignatureFile(url) : await load(url, LARGEST_SIGNATURE);
    if (signature === undefined) return signatures;
    signatures.push(signature);
  }
  return signatures;
}

function parseBase(base: string): URL {
  const url = URL.canParse(base) ? new URL(base) : undefined;
  if (url !== undefined && /^(https?|file):$/.test(url.protocol) && url.search === '' && url.hash === '')
    return url;
  throw new TrustError('bad-lookaside', `signature location ${base} is not a URL of http, https or file`);
}

function readSignatureFile(url: string): Uint8Array | undefined {
  const path = fileURLToPath(url);
  try {
    const stats = statSync(path);
    if (stats.isFile() && stats.size <= LARGEST_SIGNATURE) return readFileSync(path);
    throw new TrustError(
      'too-large',
      `signature ${path} is not a file of at most ${LARGEST_SIGNATURE} bytes`,
    );
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
