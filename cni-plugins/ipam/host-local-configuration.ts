import { FieldReader } from '../../src/abi/json.ts';
import { readText } from '../../src/native/contents.ts';
import { parseResolvConf } from '../../src/net/cni/resolv-conf.ts';
import type { Dns, ResultRoute } from '../../src/net/cni/result.ts';
import { parseList, parseRoute } from '../../src/net/cni/result-parts.ts';
import { isAtLeast } from '../../src/net/cni/versions.ts';
import { badConfiguration } from '../failure.ts';
import { type Ip, parseAddress } from '../ip.ts';
import type { PluginRequest } from '../request.ts';
import { askedAddresses } from './asked-addresses.ts';
import { checkApart, parseRange, parseRangeSet, type Range, type RangeSet } from './ranges.ts';

const DATA_DIRECTORY = '/var/lib/cni/networks';

export interface HostLocalConfiguration {
  readonly sets: readonly RangeSet[];
  readonly asked: readonly Ip[];
  readonly routes: readonly ResultRoute[];
  /** Where a network's leases are. */
  readonly directory: string;
}

export function parseHostLocal(request: PluginRequest): HostLocalConfiguration {
  const { config } = request;
  const ipam = config.fields.object('ipam');
  const old = ipam.has('subnet') ? [parseRangeSet([parseRange(ipam)])] : [];
  const sets = [...parseSets(config.runtime, 'ipRanges'), ...old, ...parseSets(ipam, 'ranges')];
  checkSets(sets, request);
  return {
    sets,
    asked: askedAddresses(request).map(parseAddress),
    routes: parseList(ipam, 'routes', parseRoute),
    directory: leaseDirectory(request),
  };
}

/** Of DEL and GC, which need no more: a configuration whose ranges have become wrong must not keep leases. */
export function leaseDirectory({ config }: PluginRequest): string {
  const ipam = config.fields.object('ipam');
  const data = ipam.has('dataDir') && ipam.text('dataDir') !== '' ? ipam.text('dataDir') : DATA_DIRECTORY;
  return `${data}/${config.name}`;
}

function parseSets(fields: FieldReader, key: string): RangeSet[] {
  return parseList(fields, key, (value, where) => parseRangeSet(asRanges(value, where))).slice();
}

function asRanges(value: unknown, where: string): Range[] {
  if (!Array.isArray(value)) throw badConfiguration(`${where} is no list of ranges`);
  return value.map((range, index) => parseRange(new FieldReader(range, `${where}[${index}]`)));
}

function checkSets(sets: readonly RangeSet[], { config }: PluginRequest): void {
  if (sets.length === 0) throw badConfiguration('there is no range to take addresses of');
  sets.forEach((set, index) => {
    for (const other of sets.slice(index + 1)) checkApart(set, other);
  });
  const families = sets.map(([range]) => range?.subnet.ip.length);
  if (!isAtLeast(config.cniVersion, '0.3.0') && new Set(families).size < families.length)
    throw badConfiguration(`version ${config.cniVersion} has no more than one address of each family`);
}

/** Of the file that the configuration names, if it does. */
export function configuredDns({ config }: PluginRequest): Dns {
  const ipam = config.fields.object('ipam');
  const path = ipam.has('resolvConf') ? ipam.text('resolvConf') : '';
  return path === '' ? {} : parseResolvConf(readText(path));
}
