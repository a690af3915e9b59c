/** `macvlan`: an interface with a hardware address of its own upon one of the host's. */
import { macvlanModes } from '../../src/native/netlink/link-kinds.ts';
import { differs } from '../interface-check.ts';
import { linkPlugin } from '../link-plugin.ts';
import { macOption, mtuOption, number, word } from '../options.ts';
import { connectUpon, findParent, withParentNamespace } from '../parent.ts';
import type { PluginRequest } from '../request.ts';

const LONGEST_QUEUE = 2 ** 32 - 1;

function parse(request: PluginRequest) {
  const { fields } = request.config;
  const queue = number(fields, 'bcqueuelen', 0, LONGEST_QUEUE) || undefined;
  return {
    mode: word(fields, 'mode', macvlanModes, 'bridge'),
    mtu: mtuOption(request),
    mac: macOption(request),
    queue: queue === undefined ? {} : { broadcastQueue: queue },
  };
}

export const macvlan = linkPlugin({
  about: 'CNI macvlan plugin: an interface with a hardware address of its own upon one of the host',
  mayLackIpam: true,
  parse,

  connect(container, request, take) {
    const { mode, mtu, mac, queue } = parse(request);
    const link = ({ index: parent }: { readonly index: number }) =>
      ({ kind: 'macvlan', name: request.ifName, parent, mode, ...queue }) as const;
    return connectUpon(container, request, { link, mtu, mac }, take);
  },

  check(container, request, { link }) {
    const { mode } = parse(request);
    if (link.kind !== 'macvlan' || link.details.macvlanMode !== mode)
      throw differs(`interface ${link.name} is no macvlan of mode ${mode}`);
    withParentNamespace(request, container, (netlink, where) => {
      const parent = findParent(request, netlink, where);
      if (link.peer !== parent.index) throw differs(`interface ${link.name} is not upon ${parent.name}`);
    });
  },
});
