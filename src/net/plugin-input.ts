/** What a plugin reads from its standard input (CNI specification, section 4). */
import { FieldReader, type JsonObject } from '../abi/json.ts';
import type { Attachment } from './cni/configuration.ts';
import type { CniResult, Dns } from './cni/result.ts';
import { resultValue } from './cni/result-formats.ts';
import type { NetworkList } from './network-list.ts';

/** What we can tell of a container, by capability; a plugin gets what it declares. */
export interface RuntimeConfig {
  readonly portMappings?: readonly PortMapping[];
  readonly bandwidth?: Bandwidth;
  /** With prefix lengths. */
  readonly ips?: readonly string[];
  readonly mac?: string;
  readonly dns?: {
    readonly servers?: readonly string[];
    readonly searches?: readonly string[];
    readonly options?: readonly string[];
  };
  readonly [capability: string]: unknown;
}

export interface PortMapping {
  readonly hostPort: number;
  readonly containerPort: number;
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  readonly hostIP?: string;
}

/** In bits a second, and bits. */
export interface Bandwidth {
  readonly ingressRate?: number;
  readonly ingressBurst?: number;
  readonly egressRate?: number;
  readonly egressBurst?: number;
}

export interface PluginGiven {
  readonly prevResult?: CniResult | undefined;
  readonly runtimeConfig?: RuntimeConfig;
  /** For GC alone. */
  readonly validAttachments?: readonly Attachment[];
}

/** @throws CniError for a result that the list's version has no words for */
export function pluginInput(list: NetworkList, plugin: JsonObject, given: PluginGiven): JsonObject {
  const { name, cniVersion } = list;
  const { capabilities, ...rest } = plugin;
  const runtimeConfig = declaredConfig(capabilities, given.runtimeConfig ?? {});
  return {
    ...rest,
    cniVersion,
    name,
    ...(Object.keys(runtimeConfig).length === 0 ? {} : { runtimeConfig }),
    ...(given.prevResult === undefined ? {} : { prevResult: resultValue(given.prevResult, cniVersion) }),
    ...attachmentsValue(given.validAttachments),
  };
}

/** Name servers that the pod has been given, as a capability. */
export function dnsCapability({ nameservers, search, options }: Dns): RuntimeConfig {
  const given = { servers: nameservers, searches: search, options };
  const said = Object.entries(given).filter(([, texts]) => texts !== undefined && texts.length > 0);
  return said.length === 0 ? {} : { dns: Object.fromEntries(said) };
}

/** Whether some plugin of the chain wants to be told. */
export function declaresCapability({ plugins }: NetworkList, capability: string): boolean {
  return plugins.some(({ capabilities }) => isDeclared(capabilities, capability));
}

function declaredConfig(capabilities: unknown, all: RuntimeConfig): JsonObject {
  const declared = Object.entries(all).filter(
    ([capability, value]) => value !== undefined && isDeclared(capabilities, capability),
  );
  return Object.fromEntries(declared);
}

function isDeclared(capabilities: unknown, capability: string): boolean {
  if (typeof capabilities !== 'object' || capabilities === null || Array.isArray(capabilities)) return false;
  return new FieldReader(capabilities, 'capabilities').raw(capability) === true;
}

/** The specification has one name for the list, and plugins that were written before have another. */
function attachmentsValue(attachments: readonly Attachment[] | undefined): JsonObject {
  if (attachments === undefined) return {};
  const value = attachments.map(({ containerId, ifName }) => ({ containerID: containerId, ifname: ifName }));
  return { 'cni.dev/valid-attachments': value, 'cni.dev/attachments': value };
}
