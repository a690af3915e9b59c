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

/** An IPv4 address at the end is two groups. */
function readV6(text: string): readonly number[] | undefined {
  const start = text.lastIndexOf(':') + 1;
  if (!text.slice(start).includes('.')) return readGroups(text);
  const [a = 0, b = 0, c = 0, d = 0] = readV4(text.slice(start)) ?? [];
  const groups = `${hex(a * 256 + b)}:${hex(c * 256 + d)}`;
  return readV4(text.slice(start)) && readGroups(text.slice(0, start) + groups);
}

function readGroups(text: string): readonly number[] | undefined {
  const [left = [], right, ...more] = text.split('::').map((half) => (half === '' ? [] : half.split(':')));
  const groups = [...left, ...(right ?? [])];
  const isComplete = right === undefined ? groups.length === V6_GROUPS : groups.length < V6_GROUPS;
  const isValid = groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group));
  if (more.length > 0 || !isComplete || !isValid) return undefined;
  const zeros = new Array<string>(V6_GROUPS - groups.length).fill('0');
  return [...left, ...zeros, ...(right ?? [])].map((group) => Number.parseInt(group, 16));
}

/** The first of the longest runs of two or more zeros is left out. */
function formatGroups(groups: readonly number[]): string {
  const runs = groups.map((_, start) => {
    const end = groups.findIndex((group, index) => index >= start && group !== 0);
    return (end === -1 ? groups.length : end) - start;
  });
  const length = Math.max(...runs);
  const joined = (part: readonly number[]) => part.map(hex).join(':');
  if (length < 2) return joined(groups);
  const start = runs.indexOf(length);
  return `${joined(groups.slice(0, start))}::${joined(groups.slice(start + length))}`;
}

function hex(group: number): string {
  return group.toString(16);
}
