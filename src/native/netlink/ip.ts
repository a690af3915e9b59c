/** IP addresses as text and as bytes. */
export type Family = 2 | 10;

export const AF_INET: Family = 2;
export const AF_INET6: Family = 10;

export interface Prefix {
  readonly address: string;
  readonly length: number;
}

/** The family of an address of four or sixteen bytes. */
export function familyOf(bytes: Uint8Array): Family {
  return bytes.length === 4 ? AF_INET : AF_INET6;
}

/** `192.0.2.1`, `2001:db8::1`, `::ffff:192.0.2.1`. */
export function parseIp(text: string): Uint8Array {
  const bytes = text.includes(':') ? parseV6(text) : parseV4(text);
  if (bytes === undefined) throw new RangeError(`'${text}' is no ip address`);
  return Uint8Array.from(bytes);
}

function parseV4(text: string): number[] | undefined {
  const parts = text.split('.');
  const valid =
    parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256);
  return valid ? parts.map(Number) : undefined;
}

function parseV6(text: string): number[] | undefined {
  const halves = text.split('::');
  const [left, right] = halves.map(parseGroups);
  if (left === undefined || halves.length > 2) return undefined;
  if (halves.length === 1) return left.length === 16 ? left : undefined;
  if (right === undefined || left.length + right.length > 14) return undefined;
  return [...left, ...new Array<number>(16 - left.length - right.length).fill(0), ...right];
}

/** Groups of hexadecimal digits; the last may be an IPv4 address. */
function parseGroups(text: string): number[] | undefined {
  if (text === '') return [];
  const bytes: number[] = [];
  const groups = text.split(':');
  for (const [index, group] of groups.entries()) {
    const v4 = index === groups.length - 1 && group.includes('.') ? parseV4(group) : undefined;
    if (v4 === undefined && !/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined;
    const value = Number.parseInt(group, 16);
    bytes.push(...(v4 ?? [value >> 8, value & 0xff]));
  }
  return bytes;
}

/** The text form of RFC 5952: the longest run of zero groups is left out. */
export function formatIp(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, n) => ((bytes[2 * n] ?? 0) << 8) | (bytes[2 * n + 1] ?? 0));
  const { start, length } = longestZeroRun(groups);
  const hex = (part: readonly number[]) => part.map((group) => group.toString(16)).join(':');
  if (length < 2) return hex(groups);
  return `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let length = 0;
  for (const [index, group] of groups.entries()) {
    length = group === 0 ? length + 1 : 0;
    if (length > best.length) best = { start: index - length + 1, length };
  }
  return best;
}

export function formatMac(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}

export function parseMac(text: string): Uint8Array {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)) throw new RangeError(`'${text}' is no mac address`);
  return Uint8Array.from(text.split(':').map((byte) => Number.parseInt(byte, 16)));
}
