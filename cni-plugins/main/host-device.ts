/** `host-device`: one of the host's own interfaces, which is the container's until DEL. */
import { readdir } from '../../src/native/directories.ts';
import { unless } from '../../src/native/errors.ts';
import { changeLink, findLink, type Link, listLinks } from '../../src/native/netlink/links.ts';
import { Netlink } from '../../src/native/netlink/socket.ts';
import { CNI_ERROR, CniError } from '../../src/net/cni/errors.ts';
import { type CniResult, EMPTY_RESULT } from '../../src/net/cni/result.ts';
import { badConfiguration } from '../failure.ts';
import { arrangeInterface, describeLink, requireLink } from '../interface.ts';
import { linkPlugin } from '../link-plugin.ts';
import type { ContainerNamespace } from '../namespace.ts';
import { text } from '../options.ts';
import type { PluginRequest } from '../request.ts';

const PCI_DEVICES = '/sys/bus/pci/devices';
const PCI_ADDRESS = /^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/i;

/** How the interface is told: the first of these that is given. */
type Selector = { readonly by: 'name' | 'mac' | 'path' | 'pci'; readonly value: string };

function parse({ config: { fields, runtime } }: PluginRequest): Selector {
  const candidates: readonly Partial<Selector>[] = [
    { by: 'pci', value: text(runtime, 'deviceID') ?? text(fields, 'pciBusID') ?? '' },
    { by: 'name', value: text(fields, 'device') ?? '' },
    { by: 'mac', value: text(fields, 'hwaddr') ?? '' },
    { by: 'path', value: text(fields, 'kernelpath') ?? '' },
  ];
  const found = candidates.find(({ value }) => value !== '');
  if (found?.by === undefined || found.value === undefined)
    throw badConfiguration('host-device needs one of device, hwaddr, kernelpath and pciBusID');
  if (found.by === 'pci' && !PCI_ADDRESS.test(found.value))
    throw badConfiguration(`'${found.value}' is no address of a PCI device`);
  return { by: found.by, value: found.value };
}

export const hostDevice = linkPlugin({
  about: "CNI host-device plugin: one of the host's own interfaces",
  mayLackIpam: true,
  parse,

  connect(container, request, take) {
    using host = new Netlink();
    const link = find(host, parse(request));
    moveIn(container, host, link, request.ifName);
    try {
      return arrange(container, request, take);
    } catch (error) {
      moveOut(container, request.ifName);
      throw error;
    }
  },

  disconnect: (container, { ifName }) => moveOut(container, ifName),
});

function arrange(container: ContainerNamespace, { ifName }: PluginRequest, take: () => CniResult): CniResult {
  const link = requireLink(container.netlink, ifName, `'${container.path}'`);
  const given = take();
  const ips = given.ips.map((ip) => ({ ...ip, interface: 0 }));
  const result = { ...EMPTY_RESULT, ...given, ips, interfaces: [describeLink(link, container)] };
  arrangeInterface(container, link, result);
  return result;
}

function find(host: Netlink, { by, value }: Selector): Link {
  const link =
    by === 'mac' ? listLinks(host).find(({ mac }) => mac === value.toLowerCase()) : byName(host, by, value);
  if (link === undefined)
    throw new CniError(CNI_ERROR.internal, `the host has no interface of ${by} '${value}'`);
  if (link.loopback) throw badConfiguration(`${link.name} is every namespace's own`);
  return link;
}

function byName(host: Netlink, by: 'name' | 'path' | 'pci', value: string): Link | undefined {
  const name = by === 'name' ? value : interfaceBelow(by === 'pci' ? `${PCI_DEVICES}/${value}` : value);
  return name === undefined ? undefined : findLink(host, name);
}

/** The interface of a device in /sys; virtio's are those of a device below. */
function interfaceBelow(directory: string): string | undefined {
  const names = (path: string) => unless(['ENOENT', 'ENOTDIR'], () => readdir(path)) ?? [];
  const below = names(directory).filter((name) => /^virtio\d+$/.test(name));
  const places = [directory, ...below.map((name) => `${directory}/${name}`)];
  return places.flatMap((place) => names(`${place}/net`))[0];
}

/** What it was called is kept with it, as the reference plugin does: DEL gives the name back. */
function moveIn(container: ContainerNamespace, host: Netlink, link: Link, name: string): void {
  if (findLink(container.netlink, name) !== undefined)
    throw new CniError(CNI_ERROR.internal, `'${container.path}' has an interface ${name} already`);
  changeLink(host, link.index, { up: false, alias: link.name });
  changeLink(host, link.index, { namespaceFd: container.fd, name });
}

/** Nothing where it has gone already. */
function moveOut(container: ContainerNamespace, name: string): void {
  const link = findLink(container.netlink, name);
  if (link?.alias === undefined || link.alias === '') return;
  changeLink(container.netlink, link.index, { up: false });
  changeLink(container.netlink, link.index, { namespaceFd: container.hostFd, name: link.alias, alias: '' });
}
