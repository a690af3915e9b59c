import { type ImageID, parseImageID } from '../appc/image-id.ts';
import { type Grammar, word } from '../appc/json.ts';
import { parseWord } from '../appc/names.ts';
import { refuse } from './errors.ts';

/** What content is known by: `sha256:` and 64 hex digits, or `sha512:` and 128, always in lower case. */
export type Digest = string & { readonly digest: true };

export type DigestAlgorithm = 'sha256' | 'sha512';

const digest: Grammar<Digest> = {
  noun: 'a digest (sha256:HEX or sha512:HEX)',
  is: (text): text is Digest => /^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/.test(text),
};

export const readDigest = word(digest);

export function isDigest(text: string): text is Digest {
  return digest.is(text);
}

/** Throws OciError `invalid-value`. */
export function parseDigest(text: string): Digest {
  return parseWord(digest, text, refuse);
}

export function digestAlgorithm(of: Digest): DigestAlgorithm {
  return of.startsWith('sha256:') ? 'sha256' : 'sha512';
}

export function digestHex(of: Digest): string {
  return of.slice(of.indexOf(':') + 1);
}

/** An image is known by the digest of its configuration, as its users know it from other tools. */
export function imageIDOfConfig(config: Digest): ImageID {
  return parseImageID(`${digestAlgorithm(config)}-${digestHex(config)}`);
}
