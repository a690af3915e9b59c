import { type Grammar, word } from './json.ts';
import { parseWord } from './names.ts';

/**
 * `sha512-` of an ACI's uncompressed tar, or `sha256-` of an OCI or Docker image's configuration (our one
 * extension of appc). appc allows any length: rkt keeps the first 64 hex digits of a sha512.
 */
export type ImageID = string & { readonly imageID: true };

const imageID: Grammar<ImageID> = {
  noun: 'an image id (sha512-HEX or sha256-HEX)',
  is: (text): text is ImageID => /^(sha512-[0-9a-f]{64}([0-9a-f]{64})?|sha256-[0-9a-f]{64})$/.test(text),
};

export const readImageID = word(imageID);

/** Throws AppcError `invalid-value`. */
export function parseImageID(text: string): ImageID {
  return parseWord(imageID, text);
}
