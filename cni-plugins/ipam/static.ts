/** `static`: the addresses that the configuration, or whoever starts the container, has chosen. Nothing is kept. */
import type { FieldReader } from '../../src/abi/json.ts';
import { formatIp } from '../../src/native/netlink/ip.ts';
import { CNI_ERROR, CniError } from '../../src/net/cni/errors.ts';
import { EMPTY_RESULT, isV6, type ResultIp } from '../../src/net/cni/result.ts';
import { parseDns, parseIp, parseList, parseRoute } from '../../src/net/cni/result-parts.ts';
import { isAtLeast } from '../../src/net/cni/versions.ts';
import { badConfiguration } from '../failure.ts';
import { contains, formatCidr, parseAddress, parseCidr } from '../ip.ts';
import type { Plugin, PluginRequest } from '../request.ts';
import { askedAddresses } from './asked-addresses.ts';

export const static_: Plugin = {
  about: 'CNI static plugin: gives the addresses that it is told',

  add(request) {
    const ipam = request.config.fields.object('ipam');
    const routes = parseList(ipam, 'routes', parseRoute);
    const dns = ipam.has('dns') ? parseDns(ipam.raw('dns'), 'config.ipam.dns') : {};
    return { ...EMPTY_RESULT, ips: addressesOf(request), routes, dns };
  },

  check(request) {
    const given = (request.config.prevResult?.ips ?? []).map(({ address }) => formatCidr(parseCidr(address)));
    for (const { address } of addressesOf(request))
      if (!given.includes(address))
        throw new CniError(CNI_ERROR.internal, `prevResult lacks the address ${address}`);
  },

  del() {
    // Nothing was kept.
  },

  status(request) {
    parseConfigured(request.config.fields.object('ipam'));
  },
};

/** What is asked for takes the place of what is configured. */
function addressesOf(request: PluginRequest): ResultIp[] {
  const configured = parseConfigured(request.config.fields.object('ipam'));
  const asked = askedAddresses(request).map((text) => ({ address: formatCidr(parseCidr(text)) }));
  const gateways = (request.args.get('GATEWAY') ?? '').split(',').filter((text) => text !== '');
  const ips = asked.length > 0 ? asked.map((ip) => withGateway(ip, gateways)) : configured;
  if (ips.length === 0) throw badConfiguration('no address is configured, and none is asked for');
  checkFamilies(ips, request);
  return ips;
}

function parseConfigured(ipam: FieldReader): ResultIp[] {
  return parseList(ipam, 'addresses', parseIp).map(({ address, gateway }) => ({
    address: formatCidr(parseCidr(address)),
    ...(gateway === undefined ? {} : { gateway: formatIp(parseAddress(gateway)) }),
  }));
}

/** Of the gateways the one that is in the address's own network. */
function withGateway(ip: ResultIp, gateways: readonly string[]): ResultIp {
  const network = parseCidr(ip.address);
  const gateway = gateways.map(parseAddress).find((candidate) => contains(network, candidate));
  return gateway === undefined ? ip : { ...ip, gateway: formatIp(gateway) };
}

function checkFamilies(ips: readonly ResultIp[], { config }: PluginRequest): void {
  const families = ips.map(({ address }) => isV6(address));
  if (!isAtLeast(config.cniVersion, '0.3.0') && new Set(families).size < families.length)
    throw badConfiguration(`version ${config.cniVersion} has no more than one address of each family`);
}
