/** `loopback`: the interface that every network namespace has, up. */
import { listAddresses } from '../../src/native/netlink/addresses.ts';
import { changeLink, findLink, type Link } from '../../src/native/netlink/links.ts';
import { CNI_ERROR, CniError } from '../../src/net/cni/errors.ts';
import { EMPTY_RESULT } from '../../src/net/cni/result.ts';
import { ContainerNamespace } from '../namespace.ts';
import type { Plugin, PluginRequest } from '../request.ts';

/** Whatever CNI_IFNAME says: there is one, and its name is known. */
const NAME = 'lo';

export const loopback: Plugin = {
  about: 'CNI loopback plugin: brings the loopback interface up',

  add(request) {
    using container = ContainerNamespace.open(request);
    const link = requireLoopback(container);
    changeLink(container.netlink, link.index, { up: true });
    const { prevResult } = request.config;
    if (prevResult !== undefined) return prevResult;
    const ips = listAddresses(container.netlink)
      .filter((address) => address.link === link.index)
      .map(({ address, length }) => ({ address: `${address}/${length}`, interface: 0 }));
    const interfaces = [{ name: NAME, mac: link.mac ?? '', sandbox: container.path }];
    return { ...EMPTY_RESULT, interfaces, ips };
  },

  check(request) {
    using container = ContainerNamespace.open(request);
    if (!requireLoopback(container).up)
      throw new CniError(CNI_ERROR.internal, `interface ${NAME} of '${container.path}' is down`);
  },

  del(request: PluginRequest) {
    using container = ContainerNamespace.openIfPresent(request);
    if (container !== undefined)
      changeLink(container.netlink, requireLoopback(container).index, { up: false });
  },
};

function requireLoopback({ netlink, path }: ContainerNamespace): Link {
  const link = findLink(netlink, NAME);
  if (link === undefined) throw new CniError(CNI_ERROR.internal, `'${path}' has no interface ${NAME}`);
  return link;
}
