/**
 * Tables of nftables, made and deleted at once or not at all: those that hide addresses behind the host's own. `nft` would take longer for
 * one than all else of a container's network.
 */
import { concat, Packer } from '../bytes.ts';
import { attribute, nestedAttribute, textAttribute } from './attributes.ts';
import { ACK, creation, NETLINK_NETFILTER, Netlink, type Request } from './socket.ts';

const SUBSYSTEM = 10;
const BATCH_BEGIN = 0x10;
const BATCH_END = 0x11;
const NEW_TABLE = (SUBSYSTEM << 8) | 0;
const DELETE_TABLE = (SUBSYSTEM << 8) | 2;
const NEW_CHAIN = (SUBSYSTEM << 8) | 3;
const NEW_RULE = (SUBSYSTEM << 8) | 6;
const NFPROTO_UNSPEC = 0;
const tableFamilies = { inet: 1, bridge: 7 } as const;
const APPEND = 0x800;

const TABLE_NAME = 1;
const CHAIN = { table: 1, name: 3, hook: 4, type: 7 } as const;
const HOOK = { number: 1, priority: 2 } as const;
const RULE = { table: 1, chain: 2, expressions: 4 } as const;
const ELEMENT = 1;
const EXPRESSION = { name: 1, data: 2 } as const;
const META = { destination: 1, key: 2 } as const;
const PAYLOAD = { destination: 1, base: 2, offset: 3, length: 4 } as const;
const BITWISE = { source: 1, destination: 2, length: 3, mask: 4, xor: 5 } as const;
const COMPARE = { source: 1, operation: 2, data: 3 } as const;
const VALUE = 1;

const REGISTER = 1;
const KEY_PROTOCOL = 15;
const NETWORK_HEADER = 1;
const EQUAL = 0;
const DIFFERENT = 1;
const POSTROUTING = 4;
const SOURCE_NAT = 100;
const POSTROUTING_CHAIN = 'postrouting';

/** `inet`: of IPv4 and IPv6. */
export type TableFamily = keyof typeof tableFamilies;

/** Of each family: its number in netfilter, and where its addresses are in a packet. */
const FAMILIES = {
  4: { protocol: 2, source: 12, destination: 16 },
  16: { protocol: 10, source: 8, destination: 24 },
} as const;

/** What comes from `source` and goes to none of `near` leaves with the host's address. Of four bytes, or of sixteen. */
export interface MasqueradeRule {
  readonly source: Uint8Array;
  readonly near: readonly { readonly network: Uint8Array; readonly mask: Uint8Array }[];
}

/** EEXIST where there is a table of this name. */
export function createMasqueradeTable(name: string, rules: readonly MasqueradeRule[]): void {
  const chain = [
    textAttribute(CHAIN.table, name),
    textAttribute(CHAIN.name, POSTROUTING_CHAIN),
    nestedAttribute(CHAIN.hook, be32(HOOK.number, POSTROUTING), be32(HOOK.priority, SOURCE_NAT)),
    textAttribute(CHAIN.type, 'nat'),
  ];
  using netlink = new Netlink(NETLINK_NETFILTER);
  commit(netlink, `create table ${name}`, [
    request(NEW_TABLE, creation.exclusive, textAttribute(TABLE_NAME, name)),
    request(NEW_CHAIN, creation.create, ...chain),
    ...rules.map((rule) => request(NEW_RULE, creation.create | APPEND, ...packRule(name, rule))),
  ]);
}

/**
 * Whoever made it. ENOENT where there is none. For programs that end soon: the socket is left to the program's end, since its closing
 * waits, 20 ms, until the kernel has freed the table. What else there is to do need not wait for that.
 */
export function deleteTable(name: string, family: TableFamily = 'inet'): void {
  const body = concat([header(tableFamilies[family], 0), textAttribute(TABLE_NAME, name)]);
  const netlink = new Netlink(NETLINK_NETFILTER);
  commit(netlink, `delete table ${name}`, [{ type: DELETE_TABLE, flags: 0, body }]);
}

function commit(netlink: Netlink, what: string, requests: readonly Request[]): void {
  const batch = header(NFPROTO_UNSPEC, SUBSYSTEM);
  const last = requests.length - 1;
  netlink.transaction(what, [
    { type: BATCH_BEGIN, flags: 0, body: batch },
    ...requests.map((one, index) => (index === last ? { ...one, flags: one.flags | ACK } : one)),
    { type: BATCH_END, flags: 0, body: batch },
  ]);
}

function request(type: number, flags: number, ...attributes: readonly Uint8Array[]): Request {
  return { type, flags, body: concat([header(tableFamilies.inet, 0), ...attributes]) };
}

/** struct nfgenmsg: family, version, resource. */
function header(family: number, resource: number): Uint8Array {
  return new Packer(4).u8(family).u8(0).u16be(resource).finish();
}

function packRule(table: string, { source, near }: MasqueradeRule): Uint8Array[] {
  const family = FAMILIES[source.length === 4 ? 4 : 16];
  const expressions = [
    expression('meta', be32(META.destination, REGISTER), be32(META.key, KEY_PROTOCOL)),
    compare(EQUAL, Uint8Array.of(family.protocol)),
    load(family.source, source.length),
    compare(EQUAL, source),
    ...near.flatMap(({ network, mask }) => [
      load(family.destination, network.length),
      masked(mask),
      compare(DIFFERENT, network),
    ]),
    expression('masq'),
  ];
  return [
    textAttribute(RULE.table, table),
    textAttribute(RULE.chain, POSTROUTING_CHAIN),
    nestedAttribute(RULE.expressions, ...expressions),
  ];
}

function load(offset: number, length: number): Uint8Array {
  return expression(
    'payload',
    be32(PAYLOAD.destination, REGISTER),
    be32(PAYLOAD.base, NETWORK_HEADER),
    be32(PAYLOAD.offset, offset),
    be32(PAYLOAD.length, length),
  );
}

function masked(mask: Uint8Array): Uint8Array {
  return expression(
    'bitwise',
    be32(BITWISE.source, REGISTER),
    be32(BITWISE.destination, REGISTER),
    be32(BITWISE.length, mask.length),
    nestedAttribute(BITWISE.mask, attribute(VALUE, mask)),
    nestedAttribute(BITWISE.xor, attribute(VALUE, new Uint8Array(mask.length))),
  );
}

function compare(operation: number, value: Uint8Array): Uint8Array {
  return expression(
    'cmp',
    be32(COMPARE.source, REGISTER),
    be32(COMPARE.operation, operation),
    nestedAttribute(COMPARE.data, attribute(VALUE, value)),
  );
}

function expression(name: string, ...data: readonly Uint8Array[]): Uint8Array {
  return nestedAttribute(
    ELEMENT,
    textAttribute(EXPRESSION.name, name),
    nestedAttribute(EXPRESSION.data, ...data),
  );
}

/** Numbers of netfilter are in network order. */
function be32(type: number, value: number): Uint8Array {
  return attribute(
    type,
    new Packer(4)
      .u16be(value >>> 16)
      .u16be(value & 0xffff)
      .finish(),
  );
}
