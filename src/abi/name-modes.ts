/** Where the apps' /etc/resolv.conf and /etc/hosts come from: the stage1's argument `--dns-conf-mode`, from its interface version 4 on. */
import { AbiError } from './json.ts';

/** `stage0`: the file that it has left in the stage1's root; `default`: by the networks, or the image's; `none`: the image's. */
export const RESOLVER_MODES = ['default', 'host', 'stage0', 'none'] as const;
/** `default`: the image's, or one that the stage1 makes. */
export const HOSTS_MODES = ['default', 'host', 'stage0'] as const;

export interface NameModes {
  readonly resolver: (typeof RESOLVER_MODES)[number];
  readonly hosts: (typeof HOSTS_MODES)[number];
}

export const DEFAULT_NAME_MODES: NameModes = { resolver: 'default', hosts: 'default' };

export function formatNameModes({ resolver, hosts }: NameModes): string {
  return `resolv=${resolver},hosts=${hosts}`;
}

/** Inverse of `formatNameModes`. What is not said is `default`. @throws AbiError `bad-arguments` */
export function parseNameModes(text: string): NameModes {
  const said = new Map(text.split(',').map((part) => splitAt(part, part.indexOf('='))));
  const unknown = [...said.keys()].find((key) => key !== 'resolv' && key !== 'hosts');
  if (unknown !== undefined) throw bad(text);
  return {
    resolver: oneOf(RESOLVER_MODES, said.get('resolv'), text),
    hosts: oneOf(HOSTS_MODES, said.get('hosts'), text),
  };
}

function splitAt(part: string, at: number): [string, string] {
  return at === -1 ? [part, ''] : [part.slice(0, at), part.slice(at + 1)];
}

function oneOf<const W extends readonly string[]>(
  words: W,
  word: string | undefined,
  text: string,
): W[number] {
  const found = words.find((known) => known === (word ?? 'default'));
  if (found === undefined) throw bad(text);
  return found;
}

function bad(text: string): AbiError {
  return new AbiError('bad-arguments', `--dns-conf-mode: ${JSON.stringify(text)} is no mode`);
}
