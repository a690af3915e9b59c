import { sha512 } from './sha512.ts';

/** What the reference plugins have room for in a chain's name. */
const LONGEST = 28;
/** The last one is of older versions: it is made to be removed. */
const PREFIXES = ['CNI-', 'CNI-DN-', 'CNI-SN-'];

/**
 * The chains of iptables that the reference plugins make for a container on a network: to masquerade, and for published ports. Killed
 * at the wrong moment they leave one that is empty, and that nothing leads to: it is known by its name alone.
 */
export function chainsOf(network: string, containerId: string): string[] {
  // Both are plain letters, digits and marks.
  const text = network + containerId;
  const hash = sha512(Uint8Array.from(text, (letter) => letter.charCodeAt(0)));
  return PREFIXES.map((prefix) => (prefix + hash).slice(0, LONGEST));
}
