/** `ptp`: a cable between the container and the host, and routes; no two containers share a link. */
import { addAddress } from '../../src/native/netlink/addresses.ts';
import { AF_INET, AF_INET6, formatIp } from '../../src/native/netlink/ip.ts';
import { addRoute } from '../../src/native/netlink/routes.ts';
import { Netlink } from '../../src/native/netlink/socket.ts';
import { withDns } from '../../src/net/cni/configuration.ts';
import { type CniResult, isV6, type ResultIp } from '../../src/net/cni/result.ts';
import { ipamAddresses, ipamCommand, withAddresses } from '../delegation.ts';
import { badConfiguration } from '../failure.ts';
import { arrangeInterface, deleteInterface, describeLink } from '../interface.ts';
import { checkInterface } from '../interface-check.ts';
import { networkOf, parseAddress, parseCidr } from '../ip.ts';
import { checkMasquerade, masquerade, masqueradeNoMore, masqueradeOnly } from '../masquerade.ts';
import { ContainerNamespace } from '../namespace.ts';
import { mtuOption } from '../options.ts';
import type { Plugin, PluginRequest } from '../request.ts';
import { enableForwarding } from '../sysctl.ts';
import { createVeth, requirePeer, type Veth } from '../veth.ts';

export const ptp: Plugin = {
  about: 'CNI ptp plugin: a veth pair with routes between container and host',

  add(request) {
    const { config } = request;
    checkMasquerade(request);
    if (config.ipam === undefined)
      throw badConfiguration('ptp needs ipam: there are no routes without addresses');
    using container = ContainerNamespace.open(request);
    const result = withAddresses(request, ipamAddresses, (take) => connect(container, request, take()));
    return withDns(result, config.dns);
  },

  check(request) {
    ipamCommand('CHECK', request);
    using container = ContainerNamespace.open(request);
    using host = new Netlink();
    requirePeer(host, checkInterface(container, request).link);
  },

  // The rules go first: the kernel frees them while the rest is done. The address is given back last: nobody else may have it while there
  // are routes to it.
  del(request) {
    using container = ContainerNamespace.openIfPresent(request);
    masqueradeNoMore(request);
    if (container !== undefined) deleteInterface(container, request.ifName);
    ipamCommand('DEL', request);
  },

  status: (request) => ipamCommand('STATUS', request),

  gc(request) {
    masqueradeOnly(request);
    ipamCommand('GC', request);
  },
};

function connect(container: ContainerNamespace, request: PluginRequest, given: CniResult): CniResult {
  for (const ip of given.ips) gatewayOf(ip);
  const has = (v6: boolean) => given.ips.some(({ address }) => isV6(address) === v6);
  enableForwarding(has(false), has(true));
  using host = new Netlink();
  const veth = createVeth(container, host, { name: request.ifName, mtu: mtuOption(request) });
  try {
    const { name, mac, mtu } = veth.host;
    const interfaces = [{ name, mac: mac ?? '', mtu }, describeLink(veth.inner, container)];
    const result = { ...given, interfaces, ips: given.ips.map((ip) => ({ ...ip, interface: 1 })) };
    const beforeRoutes = () => {
      for (const ip of result.ips) routeToHost(container, veth, ip);
    };
    arrangeInterface(container, veth.inner, result, { prefixRoute: false, beforeRoutes });
    for (const ip of result.ips) routeToContainer(host, veth, ip);
    masquerade(request, result);
    return result;
  } catch (error) {
    deleteInterface(container, request.ifName);
    masqueradeNoMore(request);
    throw error;
  }
}

/** The gateway is the only neighbour, and the way to all others, those of the same network too. */
function routeToHost({ netlink }: ContainerNamespace, { inner }: Veth, ip: ResultIp): void {
  const { ip: address, length } = parseCidr(ip.address);
  const gateway = gatewayOf(ip);
  const common = { family: familyOf(ip), link: inner.index, source: formatIp(address) };
  addRoute(netlink, { ...common, destination: alone(ip, gateway), scope: RT_SCOPE_LINK });
  const network = { address: formatIp(networkOf({ ip: address, length })), length };
  addRoute(netlink, { ...common, destination: network, gateway });
}

/** All cables may have the same gateway at their host's end: it is alone there, with the container. */
function routeToContainer(netlink: Netlink, { host }: Veth, ip: ResultIp): void {
  const address = formatIp(parseCidr(ip.address).ip);
  addAddress(netlink, { link: host.index, ...alone(ip, gatewayOf(ip)) });
  addRoute(netlink, {
    family: familyOf(ip),
    link: host.index,
    destination: alone(ip, address),
    scope: RT_SCOPE_LINK,
  });
}

const RT_SCOPE_LINK = 253;

const familyOf = ({ address }: ResultIp) => (isV6(address) ? AF_INET6 : AF_INET);
const alone = (ip: ResultIp, address: string) => ({ address, length: isV6(ip.address) ? 128 : 32 });

function gatewayOf({ address, gateway }: ResultIp): string {
  if (gateway === undefined)
    throw badConfiguration(`ptp needs a gateway for ${address}, and ipam gives none`);
  return formatIp(parseAddress(gateway));
}
