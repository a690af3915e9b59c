/** Rules of which routing table a packet is looked up in, ip-rule(8). */
import { Packer, Unpacker } from '../bytes.ts';
import { attribute, parseAttributes, u32Attribute, u32Of } from './attributes.ts';
import { AF_INET, AF_INET6, type Family, familyOf, formatIp, type Prefix, parseIp } from './ip.ts';
import { creation, type Netlink } from './socket.ts';

const RTM_NEWRULE = 32;
const RTM_DELRULE = 33;
const RTM_GETRULE = 34;
const HEADER = 12;
const FRA = { destination: 1, source: 2, priority: 6, table: 15 } as const;
const FR_ACT_TO_TBL = 1;

export interface Rule {
  readonly family: Family;
  /** Undefined for packets from anywhere. */
  readonly source: Prefix | undefined;
  readonly destination: Prefix | undefined;
  readonly table: number;
  /** The lowest counts first. */
  readonly priority: number;
}

export function listRules(netlink: Netlink): Rule[] {
  return [AF_INET, AF_INET6]
    .flatMap((family) => netlink.dump('list rules', RTM_GETRULE, header(family, 0, 0)))
    .map(({ body }) => parseRule(body));
}

/** Packets from a network look into the table, before the main one. EEXIST where there is the same. */
export function addSourceRule(netlink: Netlink, source: Prefix, table: number): void {
  const what = `add rule from ${source.address}/${source.length} to table ${table}`;
  netlink.change(what, RTM_NEWRULE, creation.exclusive, ...packSourceRule(source, table));
}

/** ENOENT where there is none. */
export function deleteSourceRule(netlink: Netlink, source: Prefix, table: number): void {
  const what = `delete rule from ${source.address}/${source.length} to table ${table}`;
  netlink.change(what, RTM_DELRULE, 0, ...packSourceRule(source, table));
}

function packSourceRule({ address, length }: Prefix, table: number): Uint8Array[] {
  const bytes = parseIp(address);
  return [
    header(familyOf(bytes), length, table),
    attribute(FRA.source, bytes),
    u32Attribute(FRA.table, table),
  ];
}

/** struct fib_rule_hdr: family, two prefix lengths, tos, table, two unused, action, flags. */
function header(family: Family, sourceLength: number, table: number): Uint8Array {
  return new Packer(HEADER)
    .u8(family)
    .u8(0)
    .u8(sourceLength)
    .u8(0)
    .u8(table < 256 ? table : 0)
    .u16(0)
    .u8(FR_ACT_TO_TBL)
    .u32(0)
    .finish();
}

function parseRule(body: Uint8Array): Rule {
  const fields = new Unpacker(body);
  const family = fields.u8() === AF_INET ? AF_INET : AF_INET6;
  const [destinationLength, sourceLength] = [fields.u8(), fields.u8()];
  fields.skip(1);
  const table = fields.u8();
  const attributes = parseAttributes(body.subarray(HEADER));
  const prefix = (type: number, length: number) => {
    const bytes = attributes.get(type);
    return bytes && { address: formatIp(bytes), length };
  };
  return {
    family,
    source: prefix(FRA.source, sourceLength),
    destination: prefix(FRA.destination, destinationLength),
    table: u32Of(attributes, FRA.table) ?? table,
    priority: u32Of(attributes, FRA.priority) ?? 0,
  };
}
