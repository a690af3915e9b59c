/** `host-local`: addresses out of ranges, each lease a file on this host. */
import { formatIp } from '../../src/native/netlink/ip.ts';
import { CNI_ERROR, CniError } from '../../src/net/cni/errors.ts';
import { EMPTY_RESULT, type ResultIp } from '../../src/net/cni/result.ts';
import { compare, formatCidr, type Ip } from '../ip.ts';
import type { Plugin, PluginRequest } from '../request.ts';
import {
  configuredDns,
  type HostLocalConfiguration,
  leaseDirectory,
  parseHostLocal,
} from './host-local-configuration.ts';
import { Leases } from './leases.ts';
import { formatRange, nextFree, type Range, type RangeSet, rangeWith } from './ranges.ts';

export const hostLocal: Plugin = {
  about: 'CNI host-local plugin: gives addresses out of ranges, kept in files on this host',

  add(request) {
    const configuration = parseHostLocal(request);
    const dns = configuredDns(request);
    using leases = Leases.open(configuration.directory);
    const ips = takeAll(leases, request, configuration);
    return { ...EMPTY_RESULT, ips, routes: configuration.routes, dns };
  },

  check(request) {
    using leases = Leases.openIfPresent(leaseDirectory(request));
    if (leases !== undefined && leases.addressesOf(request).length > 0) return;
    const { containerId, ifName, config } = request;
    const message = `${containerId} has no address of network ${config.name} for ${ifName}`;
    throw new CniError(CNI_ERROR.internal, message);
  },

  del(request) {
    using leases = Leases.openIfPresent(leaseDirectory(request));
    leases?.release(request);
  },

  status(request) {
    const { sets, directory } = parseHostLocal(request);
    using leases = Leases.open(directory);
    const full = sets.find((set) => nextFree(set, undefined, (ip) => leases.isFree(ip)) === undefined);
    if (full !== undefined) throw new CniError(CNI_ERROR.unavailable, exhausted(full));
  },

  gc(request) {
    const { validAttachments } = request.config;
    if (validAttachments === undefined) return;
    const valid = new Set(validAttachments.map(({ containerId, ifName }) => `${containerId} ${ifName}`));
    const containers = new Set(validAttachments.map(({ containerId }) => containerId));
    using leases = Leases.openIfPresent(leaseDirectory(request));
    // A lease without an interface is its container's.
    leases?.releaseWhere(({ containerId, ifName }) =>
      ifName === '' ? !containers.has(containerId) : !valid.has(`${containerId} ${ifName}`),
    );
  },
};

/** One address of each set, or none at all. */
function takeAll(leases: Leases, owner: PluginRequest, { sets, asked }: HostLocalConfiguration): ResultIp[] {
  const held = leases.addressesOf(owner);
  const twice = held.find((ip) => sets.some((set) => rangeWith(set, ip) !== undefined));
  if (twice !== undefined) {
    const message = `${formatIp(twice)} has been given to ${owner.containerId} before, for ${owner.ifName}`;
    throw new CniError(CNI_ERROR.internal, message);
  }
  // All are chosen before any is taken: what cannot be had leaves nothing to give back.
  const left = [...asked];
  const chosen = sets.map((set, index) => {
    const at = left.findIndex((ip) => rangeWith(set, ip) !== undefined);
    const [wanted] = at === -1 ? [] : left.splice(at, 1);
    if (wanted === undefined) return chooseNext(leases, set, index);
    const choice = chooseAsked(leases, set, wanted);
    if (typeof choice === 'string') throw refusal(wanted, owner, choice);
    return choice;
  });
  const [outside] = left;
  if (outside !== undefined) throw refusal(outside, owner, 'it is in no range');
  return chosen.map(({ ip, range, set }) => {
    leases.take(ip, owner);
    if (set !== undefined) leases.setLast(set, ip);
    return { address: formatCidr({ ip, length: range.subnet.length }), gateway: formatIp(range.gateway) };
  });
}

interface Choice {
  readonly ip: Ip;
  readonly range: Range;
  /** Where the turn goes on, of a set whose next address it was. */
  readonly set?: number;
}

function chooseNext(leases: Leases, set: RangeSet, index: number): Choice {
  const found = nextFree(set, leases.last(index), (ip) => leases.isFree(ip));
  if (found === undefined) throw new CniError(CNI_ERROR.internal, exhausted(set));
  return { ...found, set: index };
}

/** Or why not. */
function chooseAsked(leases: Leases, set: RangeSet, ip: Ip): Choice | string {
  const range = rangeWith(set, ip);
  if (range === undefined) return 'it is in no range';
  if (compare(ip, range.gateway) === 0) return 'it is the gateway';
  return leases.isFree(ip) ? { ip, range } : 'it is taken';
}

/** In the words of the reference plugin that rkt came with. */
function refusal(ip: Ip, { config }: PluginRequest, why: string): CniError {
  const message = `requested IP address ${JSON.stringify(formatIp(ip))} is not available in network: ${config.name}`;
  return new CniError(CNI_ERROR.internal, `${message}: ${why}`);
}

function exhausted(set: RangeSet): string {
  return `no address is left in ${set.map(formatRange).join(', ')}`;
}
