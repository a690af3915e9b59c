import { isIP } from 'node:net';
import type { NamesRequest } from '../stage0/name-files.ts';
import type { FlagValues } from './app-arguments.ts';
import { CliError } from './error.ts';
import { Flag, value, values } from './flag.ts';
import { all, last, maybe } from './flag-values.ts';

/** Flags of what names a pod's apps know. */
export const NAME_FLAGS: readonly Flag[] = [
  new Flag('dns', values('ADDRESS,...'), "name servers; host: the host's resolv.conf; none: the image's"),
  new Flag('dns-search', values('DOMAIN,...'), 'domains that names without a dot are looked for in'),
  new Flag('dns-opt', values('OPTION,...'), 'options of resolv.conf'),
  new Flag('dns-domain', value('DOMAIN'), "the pod's own domain"),
  new Flag('hosts-entry', values('ADDRESS=NAME,...'), "lines of /etc/hosts; host: the host's file"),
];

/** The values of the flags, as commander has them. */
export interface NameValues {
  readonly dns?: readonly string[];
  readonly dnsSearch?: readonly string[];
  readonly dnsOpt?: readonly string[];
  readonly dnsDomain?: string;
  readonly hostsEntry?: readonly string[];
}

export function nameValues(flags: FlagValues): NameValues {
  return {
    dns: all(flags, 'dns'),
    dnsSearch: all(flags, 'dns-search'),
    dnsOpt: all(flags, 'dns-opt'),
    hostsEntry: all(flags, 'hosts-entry'),
    ...maybe('dnsDomain', last(flags, 'dns-domain')),
  };
}

/** `names` where any of the flags is given. Throws CliError `usage`. */
export function namesRequest(given: NameValues): { readonly names?: NamesRequest } {
  const names = { resolver: resolver(given), hosts: hosts(given.hostsEntry ?? []) };
  return names.resolver.kind === 'default' && names.hosts.kind === 'default' ? {} : { names };
}

function resolver({
  dns = [],
  dnsSearch = [],
  dnsOpt = [],
  dnsDomain,
}: NameValues): NamesRequest['resolver'] {
  const servers = dns.flatMap((text) => text.split(','));
  const magic = servers.find((server) => server === 'host' || server === 'none');
  const others = [...dnsSearch, ...dnsOpt, ...(dnsDomain === undefined ? [] : [dnsDomain])];
  if (magic !== undefined) {
    if (servers.length > 1)
      throw new CliError('usage', `no other --dns options allowed when --dns=${magic} is passed`);
    if (others.length > 0)
      throw new CliError('usage', `--dns-search, --dns-opt and --dns-domain do not go with --dns=${magic}`);
    return { kind: magic };
  }
  if (servers.length + others.length === 0) return { kind: 'default' };
  for (const server of servers)
    if (isIP(server) === 0) throw new CliError('usage', `--dns=${server}: no address of a name server`);
  return {
    kind: 'stage0',
    dns: {
      nameservers: servers,
      search: words('dns-search', dnsSearch),
      options: words('dns-opt', dnsOpt),
      domain: words('dns-domain', dnsDomain === undefined ? [] : [dnsDomain]).join(' '),
    },
  };
}

/** Of a host (RFC 1035). */
const LONGEST_NAME = 253;

/** Of a line of resolv.conf. */
function words(flag: string, texts: readonly string[]): string[] {
  return texts
    .flatMap((text) => text.split(','))
    .map((word) => {
      if (!/^[!-~]{1,255}$/.test(word))
        throw new CliError('usage', `--${flag}: ${JSON.stringify(word)} is no word`);
      return word;
    });
}

type Entry = Extract<NamesRequest['hosts'], { kind: 'stage0' }>['entries'][number];

function hosts(texts: readonly string[]): NamesRequest['hosts'] {
  const entries = texts.flatMap((text) => text.split(','));
  if (entries.length === 0) return { kind: 'default' };
  if (!entries.includes('host')) return { kind: 'stage0', entries: merged(entries.map(parseEntry)) };
  if (entries.every((entry) => entry === 'host')) return { kind: 'host' };
  throw new CliError('usage', 'cannot pass --hosts-entry=host with multiple hosts-entries');
}

function parseEntry(text: string): Entry {
  const [, address = '', name = ''] = /^([^=]*)=([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)$/.exec(text) ?? [];
  if (name === '' || name.length > LONGEST_NAME)
    throw new CliError('usage', `did not understand --hosts-entry ${text}`);
  if (isIP(address) === 0)
    throw new CliError('usage', `--hosts-entry=${text}: ${JSON.stringify(address)} is no address`);
  return { address, names: [name] };
}

/** Several names of one address are one line. */
function merged(entries: readonly Entry[]): Entry[] {
  const byAddress = new Map<string, readonly string[]>();
  for (const { address, names } of entries)
    byAddress.set(address, [...(byAddress.get(address) ?? []), ...names]);
  return [...byAddress].map(([address, names]) => ({ address, names }));
}
