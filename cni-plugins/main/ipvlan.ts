/** `ipvlan`: an interface that shares the hardware address of one of the host's. */
import { ipvlanModes } from '../../src/native/netlink/link-kinds.ts';
import { differs } from '../interface-check.ts';
import { linkPlugin } from '../link-plugin.ts';
import { mtuOption, word } from '../options.ts';
import { connectUpon, findParent, withParentNamespace } from '../parent.ts';
import type { PluginRequest } from '../request.ts';

function parse(request: PluginRequest) {
  return { mode: word(request.config.fields, 'mode', ipvlanModes, 'l2'), mtu: mtuOption(request) };
}

export const ipvlan = linkPlugin({
  about: 'CNI ipvlan plugin: an interface that shares the hardware address of one of the host',
  mayLackIpam: false,
  parse,

  connect(container, request, take) {
    const { mode, mtu } = parse(request);
    const link = ({ index: parent }: { readonly index: number }) =>
      ({ kind: 'ipvlan', name: request.ifName, parent, mode }) as const;
    return connectUpon(container, request, { link, mtu }, take);
  },

  check(container, request, { link }) {
    const { mode } = parse(request);
    if (link.kind !== 'ipvlan' || link.details.ipvlanMode !== mode)
      throw differs(`interface ${link.name} is no ipvlan of mode ${mode}`);
    withParentNamespace(request, container, (netlink, where) => {
      const parent = findParent(request, netlink, where);
      if (link.peer !== parent.index) throw differs(`interface ${link.name} is not upon ${parent.name}`);
    });
  },
});
