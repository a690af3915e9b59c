const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** RFC 4648, padded; for bytes inside JSON. Digit by digit into a list: an app's filter has thousands, and adding to text copies it. */
export function encodeBase64(bytes: Uint8Array): string {
  const digits: string[] = [];
  for (let at = 0; at < bytes.length; at += 3) {
    const bits = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    for (let shift = 18; shift >= 0; shift -= 6) digits.push(DIGITS.charAt((bits >> shift) & 63));
  }
  const missing = (3 - (bytes.length % 3)) % 3;
  return digits.fill('=', digits.length - missing).join('');
}
