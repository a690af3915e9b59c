/** What RFC 3986 calls unreserved stands as it is, all else as the percent-encoded bytes of its UTF-8. */
export function percentEncode(text: string): string {
  const code = (character: string) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  // Half a character, which JSON can spell and UTF-8 cannot, becomes U+FFFD on the way through a buffer.
  return encodeURIComponent(Buffer.from(text).toString()).replace(/[!'()*]/g, code);
}

/** As Go's url.QueryEscape, in which rkt writes its cimd URIs: a space is a plus sign. */
export function queryEscape(text: string): string {
  return percentEncode(text).replaceAll('%20', '+');
}

/** Undefined where the text is not the escape of anything. */
export function queryUnescape(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
