/** The pod's networks: which it gets, and who sets them up. */
import { PLUGINS_ENV, parsePluginDirectories } from '../../abi/host-namespaces.ts';
import type { NameModes } from '../../abi/name-modes.ts';
import { POD } from '../../abi/pod-directory.ts';
import { type PublishedPort, parsePublishedPorts } from '../../abi/published-ports.ts';
import type { RunArguments } from '../../abi/stage1.ts';
import { readText, readTextIfPresent } from '../../native/contents.ts';
import { environment } from '../../native/engine.ts';
import { argumentCapabilities } from '../../net/argument-capabilities.ts';
import { parseResolvConf } from '../../net/cni/resolv-conf.ts';
import { NetError } from '../../net/error.ts';
import { parseNetRequest } from '../../net/net-request.ts';
import { chooseNetworks } from '../../net/network-choice.ts';
import { dnsCapability, type RuntimeConfig } from '../../net/plugin-input.ts';
import { checkReachable, planPortMappings } from '../../net/port-mappings.ts';
import { SupervisorError } from '../error.ts';
import type { Report } from '../report.ts';
import { readNetworks } from './configurations.ts';
import { HostSide } from './host-side.ts';
import { type PlannedNetwork, PodNetwork } from './pod-network.ts';

/** What is known before anything is made. */
export interface NetworksPlan {
  readonly host: HostSide;
  readonly networks: readonly PlannedNetwork[];
}

/** Undefined for a pod without networks of its own. @throws SupervisorError, AbiError */
export function planNetworks(
  { net, localConfig, names }: RunArguments,
  report: Report,
): NetworksPlan | undefined {
  const request = parseNetRequest(net);
  if (request.kind === 'none' || request.kind === 'host') return undefined;
  const host = HostSide.given();
  if (host === undefined)
    throw new SupervisorError('bad-pod', `--net=${net}: the host's namespaces are not given`);
  try {
    const local = host.inMounts(() => readNetworks(localConfig));
    const { chosen, remarks } = chooseNetworks(request, local);
    for (const remark of remarks) report.say(remark);
    const { chosen: complete, runtimeConfigs } = planPortMappings(chosen, publishedPorts());
    const dns = givenDns(names);
    return {
      host,
      networks: complete.map((network, index) => ({
        ...network,
        runtimeConfig: { ...dns, ...argumentCapabilities(network), ...runtimeConfigs[index] },
      })),
    };
  } catch (cause) {
    if (!(cause instanceof NetError)) throw cause;
    throw new SupervisorError('bad-network', cause.message, { cause });
  }
}

/** What the command line says of name servers. */
function givenDns({ resolver }: NameModes): RuntimeConfig {
  return resolver === 'stage0' ? dnsCapability(parseResolvConf(readText(POD.resolvConf))) : {};
}

function publishedPorts(): readonly PublishedPort[] {
  const text = readTextIfPresent(POD.ports);
  return text === undefined ? [] : parsePublishedPorts(text);
}

/** Attaches the pod, whose network namespace this process is in. @throws SupervisorError, Interruption; nothing stays then */
export function attachNetworks(uuid: string, { host, networks }: NetworksPlan, report: Report): PodNetwork {
  const cniPath = parsePluginDirectories(environment(PLUGINS_ENV) ?? '');
  const network = new PodNetwork(host, uuid, cniPath, report);
  network.attach(networks);
  checkPublished(network);
  return network;
}

/** What plugins have published. */
function checkPublished(network: PodNetwork): void {
  try {
    for (const {
      network: { runtimeConfig },
      result,
    } of network.attached)
      checkReachable(runtimeConfig.portMappings ?? [], result);
  } catch (cause) {
    network.detach();
    if (!(cause instanceof NetError)) throw cause;
    throw new SupervisorError('bad-network', cause.message, { cause });
  }
}
