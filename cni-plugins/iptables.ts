/** iptables: rules among those of others, each with a comment that tells whose it is. */
import { CNI_ERROR, CniError } from '../src/net/cni/errors.ts';
import { formatOwner, type NetworkAttachment, parseOwner } from './attachment.ts';
import { findProgram, runProgram } from './programs.ts';

export type IpVersion = 'v4' | 'v6';
export type IptablesTable = 'nat' | 'filter';

export const IP_VERSIONS = ['v4', 'v6'] as const;

const programs = { v4: 'iptables', v6: 'ip6tables' } as const;

/** Rules in the form of iptables-save, `-A CHAIN ...`. */
export interface IptablesRules {
  /** Chains that all attachments share. */
  readonly chains?: readonly string[];
  /** What is there once for all of them, and before the other rules of its chain. */
  readonly first?: readonly string[];
  readonly rules: readonly string[];
}

/** The kernel takes 255 bytes. */
const LONGEST_COMMENT = 255;
const ATTEMPTS = 4;

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

/** All that a table has: chains as `:CHAIN POLICY [0:0]`, rules as `-A CHAIN ...`. */
export function listIptables(version: IpVersion, table: IptablesTable): string[] {
  return run(version, 'save', ['-t', table])
    .split('\n')
    .filter((line) => line.startsWith('-A ') || line.startsWith(':'));
}

/** What comes between chain and target of every rule, and tells whose it is. */
export function ownerMatch(kind: string, attachment: NetworkAttachment): string {
  const comment = formatOwner(kind, attachment);
  if (comment.length <= LONGEST_COMMENT) return `-m comment --comment "${comment}"`;
  const message = `the names of network, container and interface are too long for a comment of iptables: '${comment}'`;
  throw new CniError(CNI_ERROR.invalidConfiguration, message);
}

/** Whose a rule is. */
export function ownerOfRule(kind: string, rule: string): NetworkAttachment | undefined {
  const [, quoted, plain] = /--comment (?:"([^"]*)"|(\S+))/.exec(rule) ?? [];
  return parseOwner(kind, quoted ?? plain ?? '');
}

/** In place of the rules of the kind that attachments for which `isOld` says so have. */
export function changeIptables(
  version: IpVersion,
  table: IptablesTable,
  kind: string,
  isOld: (attachment: NetworkAttachment) => boolean,
  { chains = [], first = [], rules }: IptablesRules = { rules: [] },
): void {
  for (let attempt = 1; ; attempt++) {
    const present = listIptables(version, table);
    const lines = [
      ...chains
        .filter((chain) => !present.some((line) => line.startsWith(`:${chain} `)))
        .map((chain) => `-N ${chain}`),
      ...first.filter((rule) => !present.includes(rule)).map((rule) => rule.replace(/^-A/, '-I')),
      ...present.filter((line) => isOwned(kind, line, isOld)).map((line) => line.replace(/^-A/, '-D')),
      ...rules,
    ];
    if (lines.length === 0) return;
    try {
      run(version, 'restore', ['--noflush', '--wait'], [`*${table}`, ...lines, 'COMMIT', ''].join('\n'));
      return;
    } catch (error) {
      // All of it was refused: somebody has made the same chain meanwhile, or taken a rule away.
      if (attempt === ATTEMPTS) throw error;
    }
  }
}

function isOwned(kind: string, line: string, isOld: (attachment: NetworkAttachment) => boolean): boolean {
  const owner = line.startsWith('-A ') ? ownerOfRule(kind, line) : undefined;
  return owner !== undefined && isOld(owner);
}
