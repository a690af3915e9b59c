/** IP addresses as text, in the one form that each has (RFC 5952): so two can be compared. */

const V6_GROUPS = 8;

/** `192.0.2.1`, `2001:db8::1`; undefined for what is no address. */
export function canonicalAddress(text: string): string | undefined {
  if (!text.includes(':')) return readV4(text)?.join('.');
  const groups = readV6(text);
  return groups === undefined ? undefined : formatGroups(groups);
}

/** Four octets. */
function readV4(text: string): readonly number[] | undefined {
  const parts = text.split('.');
  const isValid = parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part));
  const octets = parts.map(Number);
  return isValid && octets.every((octet) => octet < 256) ? octets : undefined;
}

function readV6(text: string): readonly number[] | undefined {
  const [left, right, ...more] = text.split('::').map(readGroups);
  if (left === undefined || more.length > 0) return undefined;
  if (!text.includes('::')) return left.length === V6_GROUPS ? left : undefined;
  if (right === undefined || left.length + right.length >= V6_GROUPS) return undefined;
  const zeros = new Array<number>(V6_GROUPS - left.length - right.length).fill(0);
  return [...left, ...zeros, ...right];
}

/** Groups of hexadecimal digits; an IPv4 address at the end is two of them. */
function readGroups(text: string): readonly number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const groups = parts.map((part, index): readonly number[] | undefined => {
    if (part.includes('.') && index === parts.length - 1) {
      const [a = 0, b = 0, c = 0, d = 0] = readV4(part) ?? [];
      return readV4(part) && [a * 256 + b, c * 256 + d];
    }
    return /^[0-9a-fA-F]{1,4}$/.test(part) ? [Number.parseInt(part, 16)] : undefined;
  });
  return groups.includes(undefined) ? undefined : groups.flatMap((group) => group ?? []);
}

/** The first of the longest runs of two or more zeros is left out. */
function formatGroups(groups: readonly number[]): string {
  const runs = groups.map((_, start) => {
    const end = groups.findIndex((group, index) => index >= start && group !== 0);
    return (end === -1 ? groups.length : end) - start;
  });
  const length = Math.max(...runs);
  const hex = (part: readonly number[]) => part.map((group) => group.toString(16)).join(':');
  if (length < 2) return hex(groups);
  const start = runs.indexOf(length);
  return `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`;
}
