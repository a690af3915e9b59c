/** Rules of which routing table a packet is looked up in, ip-rule(8). */
import { Packer, Unpacker } from '../bytes.ts';
import {
  type Attributes,
  attribute,
  parseAttributes,
  textAttribute,
  textOf,
  u8Attribute,
  u32Attribute,
  u32Of,
} from './attributes.ts';
import { AF_INET, AF_INET6, type Family, familyOf, formatIp, type Prefix, parseIp } from './ip.ts';
import { creation, type Netlink } from './socket.ts';

const RTM_NEWRULE = 32;
const RTM_DELRULE = 33;
const RTM_GETRULE = 34;
const HEADER = 12;
const FRA = {
  ...{
    destination: 1,
    source: 2,
    incoming: 3,
    goto: 4,
    priority: 6,
    mark: 10,
    suppressLength: 14,
    table: 15,
  },
  ...{ markMask: 16, outgoing: 17, uids: 20, ipProtocol: 22, sourcePorts: 23, destinationPorts: 24 },
} as const;
const FIB_RULE_INVERT = 2;
/** What the kernel says of a rule that suppresses nothing. */
const NO_LENGTH = 0xffffffff;

const actions = { table: 1, goto: 2, nop: 3, blackhole: 6, unreachable: 7, prohibit: 8 } as const;
export type RuleAction = keyof typeof actions;

export interface NumberRange {
  readonly first: number;
  readonly last: number;
}

export interface Rule {
  readonly family: Family;
  /** Undefined for packets from anywhere. */
  readonly source: Prefix | undefined;
  readonly destination: Prefix | undefined;
  readonly table: number;
  /** The lowest counts first. */
  readonly priority: number;
  readonly action: RuleAction;
  readonly tos: number;
  /** For all packets but these. */
  readonly inverted: boolean;
  /** The priority of the rule that `goto` leads to. */
  readonly target?: number | undefined;
  /** Interfaces, by name. */
  readonly incoming?: string | undefined;
  readonly outgoing?: string | undefined;
  readonly mark?: number | undefined;
  readonly markMask?: number | undefined;
  /** Of IP: 6 TCP, 17 UDP. */
  readonly ipProtocol?: number | undefined;
  readonly sourcePorts?: NumberRange | undefined;
  readonly destinationPorts?: NumberRange | undefined;
  readonly uids?: NumberRange | undefined;
  /** Routes with so short a prefix do not count. */
  readonly suppressLength?: number | undefined;
}

export function listRules(netlink: Netlink): Rule[] {
  return [AF_INET, AF_INET6]
    .flatMap((family) =>
      netlink.dump('list rules', RTM_GETRULE, new Packer(HEADER).u8(family).zeros(11).finish()),
    )
    .map(({ body }) => parseRule(body));
}

/** EEXIST where there is the same. */
export function addRule(netlink: Netlink, rule: Rule): void {
  const what = `add rule ${rule.priority} to table ${rule.table}`;
  netlink.change(what, RTM_NEWRULE, creation.exclusive, ...pack(rule));
}

/** Packets from a network look into the table, before the main one. EEXIST where there is the same. */
export function addSourceRule(netlink: Netlink, source: Prefix, table: number): void {
  const what = `add rule from ${source.address}/${source.length} to table ${table}`;
  netlink.change(what, RTM_NEWRULE, creation.exclusive, ...pack(sourceRule(source, table)));
}

/** ENOENT where there is none. */
export function deleteSourceRule(netlink: Netlink, source: Prefix, table: number): void {
  const what = `delete rule from ${source.address}/${source.length} to table ${table}`;
  netlink.change(what, RTM_DELRULE, 0, ...pack(sourceRule(source, table)));
}

type NewRule = Omit<Rule, 'priority'> & Partial<Pick<Rule, 'priority'>>;

/** Without a priority: the kernel chooses. */
function sourceRule(source: Prefix, table: number): NewRule {
  const family = familyOf(parseIp(source.address));
  return { family, source, destination: undefined, table, action: 'table', tos: 0, inverted: false };
}

/** struct fib_rule_hdr: family, two prefix lengths, tos, table, two unused, action, flags. */
function pack(rule: NewRule): Uint8Array[] {
  const { family, source, destination, table } = rule;
  const header = new Packer(HEADER)
    .u8(family)
    .u8(destination?.length ?? 0)
    .u8(source?.length ?? 0)
    .u8(rule.tos)
    .u8(table < 256 ? table : 0)
    .u16(0)
    .u8(actions[rule.action])
    .u32(rule.inverted ? FIB_RULE_INVERT : 0);
  return [header.finish(), ...packConditions(rule)];
}

function packConditions(rule: NewRule): Uint8Array[] {
  const prefix = (type: number, value: Prefix | undefined) =>
    value && attribute(type, parseIp(value.address));
  const number = (type: number, value: number | undefined) =>
    value === undefined ? undefined : u32Attribute(type, value);
  const text = (type: number, value: string | undefined) =>
    value === undefined ? undefined : textAttribute(type, value);
  return [
    prefix(FRA.source, rule.source),
    prefix(FRA.destination, rule.destination),
    number(FRA.table, rule.table),
    number(FRA.priority, rule.priority),
    number(FRA.goto, rule.target),
    text(FRA.incoming, rule.incoming),
    text(FRA.outgoing, rule.outgoing),
    number(FRA.mark, rule.mark),
    number(FRA.markMask, rule.markMask),
    number(FRA.suppressLength, rule.suppressLength),
    rule.ipProtocol === undefined ? undefined : u8Attribute(FRA.ipProtocol, rule.ipProtocol),
    rule.sourcePorts && attribute(FRA.sourcePorts, packPorts(rule.sourcePorts)),
    rule.destinationPorts && attribute(FRA.destinationPorts, packPorts(rule.destinationPorts)),
    rule.uids && attribute(FRA.uids, new Packer(8).u32(rule.uids.first).u32(rule.uids.last).finish()),
  ].filter((part) => part !== undefined);
}

/** struct fib_rule_port_range, in the order of the host's bytes. */
function packPorts({ first, last }: NumberRange): Uint8Array {
  return new Packer(4).u16(first).u16(last).finish();
}

function parseRule(body: Uint8Array): Rule {
  const fields = new Unpacker(body);
  const family = fields.u8() === AF_INET ? AF_INET : AF_INET6;
  const [destinationLength, sourceLength] = [fields.u8(), fields.u8()];
  const tos = fields.u8();
  const table = fields.u8();
  fields.skip(2);
  const action = fields.u8();
  const inverted = (fields.u32() & FIB_RULE_INVERT) !== 0;
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
    action: actionOf(action),
    tos,
    inverted,
    ...parseConditions(attributes),
  };
}

function actionOf(number: number): RuleAction {
  const words = Object.keys(actions) as RuleAction[];
  return words.find((word) => actions[word] === number) ?? 'nop';
}

type Conditions = Omit<
  Rule,
  'family' | 'source' | 'destination' | 'table' | 'priority' | 'action' | 'tos' | 'inverted'
>;

function parseConditions(attributes: Attributes): Conditions {
  const suppressLength = u32Of(attributes, FRA.suppressLength);
  return {
    target: u32Of(attributes, FRA.goto),
    incoming: textOf(attributes, FRA.incoming),
    outgoing: textOf(attributes, FRA.outgoing),
    mark: u32Of(attributes, FRA.mark),
    markMask: u32Of(attributes, FRA.markMask),
    suppressLength: suppressLength === NO_LENGTH ? undefined : suppressLength,
    ipProtocol: attributes.get(FRA.ipProtocol)?.[0],
    sourcePorts: rangeOf(attributes, FRA.sourcePorts, (fields) => fields.u16()),
    destinationPorts: rangeOf(attributes, FRA.destinationPorts, (fields) => fields.u16()),
    uids: rangeOf(attributes, FRA.uids, (fields) => fields.u32()),
  };
}

function rangeOf(
  attributes: Attributes,
  type: number,
  read: (fields: Unpacker) => number,
): NumberRange | undefined {
  const value = attributes.get(type);
  if (value === undefined) return undefined;
  const fields = new Unpacker(value);
  return { first: read(fields), last: read(fields) };
}
