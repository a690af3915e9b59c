/** `vlan`: an interface for what has one tag on an interface of the host's. */
import { badConfiguration } from '../failure.ts';
import { differs } from '../interface-check.ts';
import { linkPlugin } from '../link-plugin.ts';
import { mtuOption, text } from '../options.ts';
import { connectUpon } from '../parent.ts';
import type { PluginRequest } from '../request.ts';

const LAST_ID = 4094;

function parse(request: PluginRequest) {
  const { fields } = request.config;
  if (text(fields, 'master') === undefined) throw badConfiguration('vlan needs a master');
  return { id: fields.integer('vlanId', 0, LAST_ID), mtu: mtuOption(request) };
}

export const vlan = linkPlugin({
  about: 'CNI vlan plugin: an interface for one tag upon an interface of the host',
  mayLackIpam: false,
  parse,

  connect(container, request, take) {
    const { id, mtu } = parse(request);
    const link = ({ index: parent }: { readonly index: number }) =>
      ({ kind: 'vlan', name: request.ifName, parent, id }) as const;
    return connectUpon(container, request, { link, mtu }, take);
  },

  check(_container, request, { link }) {
    const { id } = parse(request);
    if (link.kind !== 'vlan' || link.details.vlanId !== id)
      throw differs(`interface ${link.name} is not of vlan ${id}`);
  },
});
