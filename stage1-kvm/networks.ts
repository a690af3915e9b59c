/** The pod's networks: which it gets, and who sets them up. */
import { PLUGINS_ENV, parsePluginDirectories } from '../src/abi/host-namespaces.ts';
import type { NameModes } from '../src/abi/name-modes.ts';
import { POD } from '../src/abi/pod-directory.ts';
import { type PublishedPort, parsePublishedPorts } from '../src/abi/published-ports.ts';
import type { RunArguments } from '../src/abi/stage1.ts';
import { readText, readTextIfPresent } from '../src/native/contents.ts';
import { environment } from '../src/native/engine.ts';
import { argumentCapabilities } from '../src/net/argument-capabilities.ts';
import { parseResolvConf } from '../src/net/cni/resolv-conf.ts';
import { NetError } from '../src/net/error.ts';
import { parseNetRequest } from '../src/net/net-request.ts';
import { chooseNetworks } from '../src/net/network-choice.ts';
import { dnsCapability, type RuntimeConfig } from '../src/net/plugin-input.ts';
import { checkReachable, planPortMappings } from '../src/net/port-mappings.ts';
import { readNetworks } from '../src/supervisor/network/configurations.ts';
import { HostSide } from '../src/supervisor/network/host-side.ts';
import { type PlannedNetwork, PodNetwork } from '../src/supervisor/network/pod-network.ts';
import type { Report } from '../src/supervisor/report.ts';
import { KvmError } from './error.ts';

/** What is known before anything is made. */
export interface NetworksPlan {
  readonly host: HostSide;
  readonly networks: readonly PlannedNetwork[];
}

/** Undefined for a pod without networks of its own. @throws KvmError, AbiError */
export function planNetworks(
  { net, localConfig, names }: RunArguments,
  report: Report,
): NetworksPlan | undefined {
  const request = parseNetRequest(net);
  if (request.kind === 'none' || request.kind === 'host') return undefined;
  const host = HostSide.given();
  if (host === undefined) throw new KvmError('bad-pod', `--net=${net}: the host's namespaces are not given`);
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
    throw new KvmError('bad-network', cause.message, { cause });
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
    throw new KvmError('bad-network', cause.message, { cause });
  }
}
