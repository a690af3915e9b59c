/** iptables: rules among those of others, each with a comment that tells whose it is. */
import { CNI_ERROR, CniError } from '../src/net/cni/errors.ts';
import { formatOwner, type NetworkAttachment, parseOwner } from './attachment.ts';
import { findProgram, runProgram } from './programs.ts';

export type IpVersion = 'v4' | 'v6';
export type IptablesTable = 'nat' | 'filter';

export const IP_VERSIONS = ['v4', 'v6'] as const;

const programs = { v4: 'iptables', v6: 'ip6tables' } as const;

/** What belongs to an attachment: chains that are shared, and rules in the form of iptables-save, `-A CHAIN ...`. */
export interface IptablesRules {
  readonly chains?: readonly string[];
  /** Rules that are there once for all attachments, before any other rule of their chains. */
  readonly first?: readonly string[];
  readonly rules: readonly string[];
}

/** The kernel takes 255 bytes. */
const LONGEST_COMMENT = 255;

export function hasIptables(version: IpVersion): boolean {
  return findProgram(`${programs[version]}-restore`) !== undefined;
}

function run(version: IpVersion, verb: 'save' | 'restore', args: readonly string[], input = ''): string {
  const name = `${programs[version]}-${verb}`;
  const program = findProgram(name);
  if (program === undefined)
    throw new CniError(CNI_ERROR.unsupportedByHost, `this host has no ${name}: install iptables`);
  return runProgram(program, args, input);
}

/** Every rule of a table, as lines `-A CHAIN ...`. */
export function listIptables(version: IpVersion, table: IptablesTable): string[] {
  return run(version, 'save', ['-t', table])
    .split('\n')
    .filter((line) => line.startsWith('-A '));
}

/** All or nothing. */
function change(version: IpVersion, table: IptablesTable, lines: readonly string[]): void {
  const input = [`*${table}`, ...lines, 'COMMIT', ''].join('\n');
  run(version, 'restore', ['--noflush', '--wait'], input);
}

/** What comes after `-A CHAIN` and before `-j`, to be put in rules. */
export function ownerMatch(kind: string, attachment: NetworkAttachment): string {
  const comment = formatOwner(kind, attachment);
  if (comment.length <= LONGEST_COMMENT) return `-m comment --comment "${comment}"`;
  const message = `the names of network, container and interface are too long for a comment of iptables: '${comment}'`;
  throw new CniError(CNI_ERROR.invalidConfiguration, message);
}

/** Whose a rule is. */
function ownerOf(kind: string, rule: string): NetworkAttachment | undefined {
  const [, quoted, plain] = /--comment (?:"([^"]*)"|(\S+))/.exec(rule) ?? [];
  return parseOwner(kind, quoted ?? plain ?? '');
}

/** In place of the rules that the attachment has. */
export function setIptables(
  version: IpVersion,
  table: IptablesTable,
  { chains = [], first = [], rules }: IptablesRules,
  isOld: (attachment: NetworkAttachment) => boolean,
  kind: string,
): void {
  const present = listIptables(version, table);
  const missing = first.filter((rule) => !present.some((line) => isSameRule(line, rule)));
  change(version, table, [
    // Declared again, a chain would be emptied.
    ...chains.filter((chain) => !hasChain(version, table, chain, present)).map((chain) => `:${chain} - [0:0]`),
    ...removals(present, kind, isOld),
    ...missing.map((rule) => rule.replace(/^-A (\S+)/, '-I $1')),
    ...rules,
  ]);
}
