import type { Grammar } from './json.ts';
import { parseWord } from './names.ts';

/** A pod's RFC 4122 identifier in its canonical form: lower case, with hyphens. */
export type PodUUID = string & { readonly podUUID: true };

export const podUUID: Grammar<PodUUID> = {
  noun: 'a pod UUID (eight, four, four, four and twelve hex digits)',
  is: (text): text is PodUUID => /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(text),
};

/** Takes upper case too, as RFC 4122 asks of readers. Throws AppcError `invalid-value`. */
export function parsePodUUID(text: string): PodUUID {
  return parseWord(podUUID, text.toLowerCase());
}

/** Formats 16 random octets as a version 4 UUID (RFC 4122, section 4.4). */
export function podUUIDFromOctets(octets: Uint8Array): PodUUID {
  const hex = Array.from({ length: 16 }, (_, index) => {
    const octet = octets[index] ?? 0;
    if (index === 6) return ((octet & 0x0f) | 0x40).toString(16).padStart(2, '0');
    if (index === 8) return ((octet & 0x3f) | 0x80).toString(16).padStart(2, '0');
    return octet.toString(16).padStart(2, '0');
  }).join('');
  const groups = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)];
  return parsePodUUID(groups.join('-'));
}
