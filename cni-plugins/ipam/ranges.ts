/** The ranges that `host-local` takes addresses of. */
import type { FieldReader } from '../../src/abi/json.ts';
import { formatIp, parseIp } from '../../src/native/netlink/ip.ts';
import { badConfiguration } from '../failure.ts';
import {
  type Cidr,
  compare,
  contains,
  formatCidr,
  type Ip,
  isNetwork,
  lastOf,
  networkOf,
  next,
  parseCidr,
  previous,
} from '../ip.ts';

export interface Range {
  readonly subnet: Cidr;
  readonly first: Ip;
  readonly last: Ip;
  /** Never given away. */
  readonly gateway: Ip;
}

/** Ranges of one family, of which an ADD takes one address. */
export type RangeSet = readonly Range[];

/** What is left of a network after its own address and that of broadcasts has to be more than nothing. */
const LEAST_BITS = 2;

export function parseRange(fields: FieldReader): Range {
  const subnet = parseCidr(fields.text('subnet'));
  const text = formatCidr(subnet);
  if (subnet.length > 8 * subnet.ip.length - LEAST_BITS)
    throw badConfiguration(`network ${text} is too small to take addresses of`);
  if (!isNetwork(subnet)) {
    const network = formatCidr({ ...subnet, ip: networkOf(subnet) });
    throw badConfiguration(`'${text}' is no network: ${network} would be`);
  }
  const address = (key: string) => (fields.has(key) ? parseIp(fields.text(key)) : undefined);
  const [first, last] = [address('rangeStart'), address('rangeEnd')];
  const range: Range = {
    subnet,
    first: first ?? next(subnet.ip),
    last: last ?? lastUsable(subnet),
    gateway: address('gateway') ?? next(subnet.ip),
  };
  checkRange(range);
  return range;
}

/** All of IPv6, and of IPv4 all but the address of broadcasts. */
function lastUsable(subnet: Cidr): Ip {
  const last = lastOf(subnet);
  return last.length === 4 ? previous(last) : last;
}

function checkRange({ subnet, first, last, gateway }: Range): void {
  for (const ip of [first, last])
    if (!contains(subnet, ip)) throw badConfiguration(`${formatIp(ip)} is not in ${formatCidr(subnet)}`);
  if (compare(first, last) > 0)
    throw badConfiguration(`the range ${formatIp(first)} to ${formatIp(last)} ends before it begins`);
  if (gateway.length !== subnet.ip.length)
    throw badConfiguration(`gateway ${formatIp(gateway)} is of another family than ${formatCidr(subnet)}`);
}

export function parseRangeSet(value: readonly Range[]): RangeSet {
  const [{ subnet } = { subnet: undefined }] = value;
  if (subnet === undefined) throw badConfiguration('a set of ranges is empty');
  if (value.some((range) => range.subnet.ip.length !== subnet.ip.length))
    throw badConfiguration(`a set of ranges has addresses of both families, as ${formatCidr(subnet)}`);
  value.forEach((range, index) => {
    checkApart([range], value.slice(index + 1));
  });
  return value;
}

/** Two sets, or parts of one, must not hold one address. */
export function checkApart(one: RangeSet, other: RangeSet): void {
  for (const a of one)
    for (const b of other)
      if (a.first.length === b.first.length && compare(a.first, b.last) <= 0 && compare(b.first, a.last) <= 0)
        throw badConfiguration(`ranges ${formatRange(a)} and ${formatRange(b)} overlap`);
}

export function formatRange({ first, last }: Range): string {
  return `${formatIp(first)}-${formatIp(last)}`;
}

export function rangeWith(set: RangeSet, ip: Ip): Range | undefined {
  return set.find(
    ({ first, last }) => ip.length === first.length && compare(first, ip) <= 0 && compare(ip, last) <= 0,
  );
}

/**
 * The first address that `isFree`, in turn: after the one that was given last, to the end, and from the beginning on. An address
 * that was given back is so not given at once to somebody else, whom its old peers would take for the first.
 */
export function nextFree(
  set: RangeSet,
  after: Ip | undefined,
  isFree: (ip: Ip) => boolean,
): { ip: Ip; range: Range } | undefined {
  const from = after === undefined ? undefined : rangeWith(set, after);
  const start = from === undefined ? 0 : set.indexOf(from);
  for (let turn = 0; turn <= set.length; turn++) {
    const range = set[(start + turn) % set.length];
    if (range === undefined) return undefined;
    const begin = turn === 0 && from !== undefined && after !== undefined ? next(after) : range.first;
    const ip = firstFree(range, begin, isFree);
    if (ip !== undefined) return { ip, range };
  }
  return undefined;
}

function firstFree({ last, gateway }: Range, begin: Ip, isFree: (ip: Ip) => boolean): Ip | undefined {
  for (let ip = begin; compare(ip, last) <= 0; ip = next(ip)) {
    if (compare(ip, gateway) !== 0 && isFree(ip)) return ip;
    // The last address of all is followed by the first.
    if (compare(ip, last) === 0) return undefined;
  }
  return undefined;
}
