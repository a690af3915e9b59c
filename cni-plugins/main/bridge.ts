/** `bridge`: containers on one link with each other and, where it is a gateway, with the host. */
import { formatIp } from '../../src/native/netlink/ip.ts';
import { findLink, type Link } from '../../src/native/netlink/links.ts';
import { Netlink } from '../../src/native/netlink/socket.ts';
import { withDns } from '../../src/net/cni/configuration.ts';
import {
  type CniResult,
  EMPTY_RESULT,
  isV6,
  type ResultIp,
  type ResultRoute,
} from '../../src/net/cni/result.ts';
import { aroundRelease, ipamAddresses, ipamCommand, withAddresses } from '../delegation.ts';
import { arrangeInterface, deleteInterface, describeLink, requireLink } from '../interface.ts';
import { checkInterface, differs } from '../interface-check.ts';
import { networkOf, next, parseAddress, parseCidr } from '../ip.ts';
import { masquerade, masqueradeNoMore, masqueradeOnly } from '../masquerade.ts';
import { ContainerNamespace } from '../namespace.ts';
import type { Plugin, PluginRequest } from '../request.ts';
import { forbidSpoofing, forbidSpoofingNoMore, forbidSpoofingOnly } from '../spoof-check.ts';
import { enableForwarding } from '../sysctl.ts';
import { createVeth, requirePeer, type Veth } from '../veth.ts';
import { type BridgeConfiguration, parseBridge } from './bridge-configuration.ts';
import { configurePort, ensureAddress, ensureBridge, ensureGateway } from './bridge-host.ts';

export const bridge: Plugin = {
  about: 'CNI bridge plugin: a veth pair whose end on the host belongs to a bridge',

  add(request) {
    const configuration = parseBridge(request);
    using container = ContainerNamespace.open(request);
    const take = () => (request.config.ipam === undefined ? EMPTY_RESULT : ipamAddresses(request));
    const result = withAddresses(request, take, (given) => connect(container, request, configuration, given));
    return withDns(result, request.config.dns);
  },

  check(request) {
    const { bridge: name } = parseBridge(request);
    ipamCommand('CHECK', request);
    using container = ContainerNamespace.open(request);
    using host = new Netlink();
    const link = findLink(host, name);
    if (link?.kind !== 'bridge') throw differs(`the host has no bridge ${name}`);
    const port = requirePeer(host, checkInterface(container, request).link);
    if (port.master !== link.index) throw differs(`${port.name} is no port of ${name}`);
  },

  del(request) {
    using container = ContainerNamespace.openIfPresent(request);
    aroundRelease(request, () => {
      if (container !== undefined) deleteInterface(container, request.ifName);
      masqueradeNoMore(request);
      forbidSpoofingNoMore(request);
    });
  },

  status(request) {
    parseBridge(request);
    ipamCommand('STATUS', request);
  },

  gc(request) {
    masqueradeOnly(request);
    forbidSpoofingOnly(request);
    ipamCommand('GC', request);
  },
};

/** Where the container's interface is among those of the result. */
const INNER = 2;

function connect(
  container: ContainerNamespace,
  request: PluginRequest,
  configuration: BridgeConfiguration,
  take: () => CniResult,
): CniResult {
  using host = new Netlink();
  const link = ensureBridge(host, configuration);
  const { mtu, mac } = configuration;
  const veth = createVeth(container, host, { name: request.ifName, mtu, mac, master: link.index });
  try {
    configurePort(host, veth.host, configuration);
    forbidSpoofing(request, veth.host, veth.inner);
    const given = take();
    const ips = given.ips.map((ip) => withGateway(ip, configuration));
    const result = { ...given, ips, routes: withDefaultRoutes(given.routes, ips, configuration) };
    const { detectDuplicates } = configuration;
    const described = { ...result, interfaces: describe(container, link, veth) };
    if (!configuration.staysDown) arrangeInterface(container, veth.inner, described, { detectDuplicates });
    if (configuration.isGateway) beGateway(host, link, configuration, ips);
    masquerade(request, described);
    // The bridge has got an address of its own by its first port.
    return { ...result, interfaces: describe(container, requireLink(host, link.name, 'the host'), veth) };
  } catch (error) {
    deleteInterface(container, request.ifName);
    masqueradeNoMore(request);
    forbidSpoofingNoMore(request);
    throw error;
  }
}

function describe(container: ContainerNamespace, link: Link, { host, inner }: Veth): CniResult['interfaces'] {
  const onHost = [link, host].map(({ name, mac, mtu }) => ({ name, mac: mac ?? '', mtu }));
  return [...onHost, describeLink(inner, container)];
}

/** The first address of a network is its gateway's, where none is named. */
function withGateway(ip: ResultIp, { isGateway }: BridgeConfiguration): ResultIp {
  const own = { ...ip, interface: INNER };
  if (ip.gateway !== undefined || !isGateway) return own;
  return { ...own, gateway: formatIp(next(networkOf(parseCidr(ip.address)))) };
}

function withDefaultRoutes(
  routes: readonly ResultRoute[],
  ips: readonly ResultIp[],
  { isDefaultGateway }: BridgeConfiguration,
): ResultRoute[] {
  const has = (dst: string) => routes.some((route) => route.dst === dst);
  const families = new Set(ips.map(({ address }) => (isV6(address) ? '::/0' : '0.0.0.0/0')));
  const missing = isDefaultGateway ? [...families].filter((dst) => !has(dst)) : [];
  const gatewayOf = (dst: string) => ips.find(({ address }) => isV6(address) === isV6(dst))?.gateway;
  return [
    ...routes,
    ...missing
      .map((dst) => ({ dst, gw: gatewayOf(dst) }))
      .filter((route): route is Required<Pick<ResultRoute, 'dst' | 'gw'>> => route.gw !== undefined),
  ];
}

function beGateway(
  host: Netlink,
  link: Link,
  configuration: BridgeConfiguration,
  ips: readonly ResultIp[],
): void {
  const gateway = ensureGateway(host, requireLink(host, link.name, 'the host'), configuration);
  for (const { address, gateway: text } of ips) {
    const cidr = { ip: parseAddress(text ?? address), length: parseCidr(address).length };
    ensureAddress(host, gateway, cidr, configuration.forceAddress);
  }
  const has = (v6: boolean) => ips.some(({ address }) => isV6(address) === v6);
  enableForwarding(has(false), has(true));
}
