const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const UNKNOWN = 0xff;

/** By character code. */
const VALUES = new Uint8Array(128).fill(UNKNOWN);
for (let value = 0; value < ALPHABET.length; value++) VALUES[ALPHABET.charCodeAt(value)] = value;

/** RFC 4648, section 4, with padding. A filter has thousands of digits, which an app's start waits for. @throws RangeError */
export function decodeBase64(text: string): Uint8Array {
  const digits = text.replace(/=+$/, '');
  const bytes = new Uint8Array(Math.floor((digits.length * 3) / 4));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (let index = 0; index < digits.length; index++) {
    const value = VALUES[digits.charCodeAt(index)] ?? UNKNOWN;
    if (value === UNKNOWN) throw new RangeError(`'${digits.charAt(index)}' is no base64`);
    held = ((held << 6) | value) & 0xffffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = held >> bits;
    }
  }
  return bytes;
}
