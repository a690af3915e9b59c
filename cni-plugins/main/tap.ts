/** `tap`: an interface of the container whose cable a program holds, such as a virtual machine monitor. */

import { hasCode } from '../../src/native/errors.ts';
import { changeLink } from '../../src/native/netlink/links.ts';
import { makeTap } from '../../src/native/taps.ts';
import { CNI_ERROR, CniError } from '../../src/net/cni/errors.ts';
import { deleteInterface, requireLink } from '../interface.ts';
import { differs } from '../interface-check.ts';
import { linkPlugin } from '../link-plugin.ts';
import type { ContainerNamespace } from '../namespace.ts';
import { flag, macOption, mtuOption, number, text } from '../options.ts';
import { arrangeOrDelete } from '../parent.ts';
import type { PluginRequest } from '../request.ts';

const LAST_ID = 2 ** 32 - 2;

function parse(request: PluginRequest) {
  const { fields } = request.config;
  if (text(fields, 'selinuxContext') !== undefined)
    throw new CniError(CNI_ERROR.unsupportedField, 'selinuxContext is not supported');
  return {
    multiQueue: flag(fields, 'multiQueue'),
    owner: number(fields, 'owner', 0, LAST_ID),
    group: number(fields, 'group', 0, LAST_ID),
    bridge: text(fields, 'bridge'),
    mtu: mtuOption(request),
    mac: macOption(request),
  };
}

export const tap = linkPlugin({
  about: 'CNI tap plugin: an interface whose cable a program holds',
  mayLackIpam: true,
  parse,

  connect(container, request, take) {
    make(container, request);
    return arrangeOrDelete(container, request.ifName, take);
  },

  check(_container, _request, { link }) {
    if (link.kind !== 'tun') throw differs(`interface ${link.name} is no tap`);
  },
});

function make(container: ContainerNamespace, request: PluginRequest): void {
  const { mtu, mac, bridge, ...options } = parse(request);
  const { ifName } = request;
  const where = `'${container.path}'`;
  try {
    container.inside(() => makeTap(ifName, options));
  } catch (cause) {
    if (!hasCode(cause, 'ENOENT', 'ENODEV', 'ENXIO')) throw cause;
    const message = 'this host has no taps';
    throw new CniError(CNI_ERROR.unsupportedByHost, message, 'it needs /dev/net/tun, and the module tun', {
      cause,
    });
  }
  try {
    const master = bridge === undefined ? undefined : requireLink(container.netlink, bridge, where).index;
    const { index } = requireLink(container.netlink, ifName, where);
    changeLink(container.netlink, index, {
      ...(mtu === undefined ? {} : { mtu }),
      ...(mac === undefined ? {} : { mac }),
      ...(master === undefined ? {} : { master }),
    });
  } catch (error) {
    deleteInterface(container, ifName);
    throw error;
  }
}
