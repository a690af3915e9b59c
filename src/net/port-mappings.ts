/** Published ports as plugins are told of them, and by which of a pod's networks. */
import type { JsonObject } from '../abi/json.ts';
import type { PublishedPort } from '../abi/published-ports.ts';
import { type CniResult, isV6 } from './cni/result.ts';
import { NetError } from './error.ts';
import type { ChosenNetwork } from './network-choice.ts';
import { declaresCapability, type PortMapping, type RuntimeConfig } from './plugin-input.ts';
import { formatHostPort, formatPublishedPort } from './published-ports.ts';

const CAPABILITY = 'portMappings';

/** What stands at the end of a network's plugins when none of them publishes ports. */
const PORTMAP: JsonObject = { type: 'portmap', capabilities: { [CAPABILITY]: true }, snat: true };

export interface PortPlan {
  readonly chosen: readonly ChosenNetwork[];
  /** For each network of `chosen`. */
  readonly runtimeConfigs: readonly RuntimeConfig[];
}

/**
 * One network publishes the ports, for a port of the host leads to one place: the first whose plugins know how to. Where none does, as
 * in rkt the first that masquerades, else the last; its plugins get `portmap` as the last one.
 * @throws NetError `bad-request` for ports without a network
 */
export function planPortMappings(
  chosen: readonly ChosenNetwork[],
  ports: readonly PublishedPort[],
): PortPlan {
  if (ports.length === 0) return { chosen, runtimeConfigs: chosen.map(() => ({})) };
  const able = chosen.find(({ list }) => declaresCapability(list, CAPABILITY));
  const target = able ?? chosen.find(isMasquerading) ?? chosen.at(-1);
  if (target === undefined)
    throw new NetError('bad-request', `no network for port ${ports.map(formatPublishedPort).join(', ')}`);
  return {
    chosen: chosen.map((one) => (one === able || one !== target ? one : withPortmap(one))),
    runtimeConfigs: chosen.map((one) => (one === target ? { portMappings: ports.flatMap(mappings) } : {})),
  };
}

function isMasquerading({ list }: ChosenNetwork): boolean {
  return list.plugins.some(({ ipMasq }) => ipMasq === true);
}

function withPortmap(network: ChosenNetwork): ChosenNetwork {
  return { ...network, list: { ...network.list, plugins: [...network.list.plugins, PORTMAP] } };
}

/** One for each port: plugins know no ranges. */
function mappings({ protocol, hostIP, hostPort, podPort, count }: PublishedPort): readonly PortMapping[] {
  const address = hostIP === undefined ? {} : { hostIP };
  return Array.from({ length: count }, (_, n) => ({
    hostPort: hostPort + n,
    containerPort: podPort + n,
    protocol,
    ...address,
  }));
}

/**
 * Plugins leave out, and say nothing, what they cannot publish: a port of an address of one kind, in a network of the other.
 * @throws NetError `bad-request`
 */
export function checkReachable(ports: readonly PortMapping[], { ips }: CniResult): void {
  const isReached = ({ hostIP }: PortMapping) =>
    ips.some(({ address }) => hostIP === undefined || isV6(address) === isV6(hostIP));
  const lost = ports.find((port) => !isReached(port));
  if (lost === undefined) return;
  const { protocol, hostIP, hostPort } = lost;
  const port = formatHostPort({ protocol, ...(hostIP === undefined ? {} : { hostIP }), hostPort, count: 1 });
  const kind = hostIP === undefined ? '' : ` of ${isV6(hostIP) ? 'IPv6' : 'IPv4'}`;
  throw new NetError('bad-request', `${port} leads nowhere: the pod has no address${kind} there`);
}
