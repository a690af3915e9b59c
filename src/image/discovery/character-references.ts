/** Those that URLs are written with; the two thousand others of HTML stand for letters and signs that no URL has. */
const NAMED: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['apos', "'"],
  ['colon', ':'],
  ['equals', '='],
  ['gt', '>'],
  ['hyphen', '-'],
  ['lbrace', '{'],
  ['lcub', '{'],
  ['lowbar', '_'],
  ['lt', '<'],
  ['nbsp', '\u00a0'],
  ['num', '#'],
  ['percnt', '%'],
  ['period', '.'],
  ['quest', '?'],
  ['quot', '"'],
  ['rbrace', '}'],
  ['rcub', '}'],
  ['sol', '/'],
]);

const REFERENCE = /&(?:#x([0-9a-f]{1,6})|#([0-9]{1,7})|([a-z]{1,8}));/gi;
const REPLACEMENT = '\ufffd';

/**
 * The value of an attribute with its character references decoded (HTML, 13.5). One without its semicolon is left alone: in a URL
 * `&lt=5` is a parameter.
 */
export function decodeCharacterReferences(text: string): string {
  return text.replace(REFERENCE, (reference: string, hex?: string, decimal?: string, name?: string) => {
    if (name !== undefined) return NAMED.get(name) ?? reference;
    return character(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16));
  });
}

function character(code: number): string {
  const isSurrogate = code >= 0xd800 && code <= 0xdfff;
  return code === 0 || code > 0x10ffff || isSurrogate ? REPLACEMENT : String.fromCodePoint(code);
}
