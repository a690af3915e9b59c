/** What plugins are alike in whose container has one interface, which DEL takes away. */
import { withDns } from '../src/net/cni/configuration.ts';
import { type CniResult, EMPTY_RESULT } from '../src/net/cni/result.ts';
import { aroundRelease, ipamAddresses, ipamCommand, withAddresses } from './delegation.ts';
import { badConfiguration } from './failure.ts';
import { deleteInterface } from './interface.ts';
import { type Checked, checkInterface } from './interface-check.ts';
import { ContainerNamespace } from './namespace.ts';
import type { Plugin, PluginRequest } from './request.ts';

export interface LinkPlugin {
  readonly about: string;
  /** Whether there may be no ipam: the interface has no addresses then. */
  readonly mayLackIpam: boolean;
  /** Refuses a configuration that cannot be met, before anything is made. */
  parse(request: PluginRequest): void;
  /** Takes the addresses when there is an interface for them: some are given by those whom it leads to. */
  connect(container: ContainerNamespace, request: PluginRequest, take: () => CniResult): CniResult;
  /** What an interface has to be beside its addresses and routes. */
  check?(container: ContainerNamespace, request: PluginRequest, found: Checked): void;
  /** Instead of being deleted. */
  disconnect?(container: ContainerNamespace, request: PluginRequest): void;
}

export function linkPlugin(plugin: LinkPlugin): Plugin {
  return {
    about: plugin.about,

    add(request) {
      plugin.parse(request);
      checkIpam(plugin, request);
      using container = ContainerNamespace.open(request);
      const take = () => (request.config.ipam === undefined ? EMPTY_RESULT : ipamAddresses(request));
      const result = withAddresses(request, take, (given) => plugin.connect(container, request, given));
      return withDns(result, request.config.dns);
    },

    check(request) {
      ipamCommand('CHECK', request);
      using container = ContainerNamespace.open(request);
      plugin.check?.(container, request, checkInterface(container, request));
    },

    del(request) {
      using container = ContainerNamespace.openIfPresent(request);
      aroundRelease(request, () => {
        if (container !== undefined) (plugin.disconnect ?? remove)(container, request);
      });
    },

    status(request) {
      plugin.parse(request);
      ipamCommand('STATUS', request);
    },

    gc: (request) => ipamCommand('GC', request),
  };
}

function remove(container: ContainerNamespace, { ifName }: PluginRequest): void {
  deleteInterface(container, ifName);
}

function checkIpam({ mayLackIpam }: LinkPlugin, { config }: PluginRequest): void {
  if (config.ipam === undefined && !mayLackIpam)
    throw badConfiguration(`${config.type} needs ipam: its interface is of no use without an address`);
}
