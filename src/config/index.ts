import type { Configuration } from './configuration.ts';
import type { Entry } from './entries.ts';
import { refuseOverlaps } from './id-ranges.ts';
import { readLayer } from './layer.ts';

export type { Configuration } from './configuration.ts';
export {
  type ContainerAuth,
  type ContainerCredentials,
  openContainerAuth,
} from './container-auth.ts';
export type { BasicCredentials, Credentials } from './entries.ts';
export { ConfigError, type ConfigErrorCode } from './errors.ts';
export { formatConfiguration } from './formatter.ts';
export { canonicalRegistry, type RegistryConfig } from './registry.ts';

/**
 * Reads the layers, the vendor's first; each overrides those before it, unit by unit (a domain, a registry, a path, the
 * stage1's name with its version, its location). Files of container credentials come together, those of later layers first.
 * Throws ConfigError.
 */
export function readConfiguration(layers: readonly string[]): Configuration {
  const configuration = layers.flatMap(readLayer).reduce(merge, blank);
  refuseOverlaps(configuration);
  return Object.freeze(configuration);
}

const blank: Configuration = {
  auth: new Map(),
  dockerAuth: new Map(),
  containerAuthFiles: [],
  registries: new Map(),
  stage1: {},
  machine: {},
};

function merge(configuration: Configuration, entry: Entry): Configuration {
  switch (entry.kind) {
    case 'auth':
      return { ...configuration, auth: withAll(configuration.auth, entry.domains, entry.credentials) };
    case 'dockerAuth':
      return {
        ...configuration,
        dockerAuth: withAll(configuration.dockerAuth, entry.registries, entry.credentials),
      };
    case 'containerAuth':
      return {
        ...configuration,
        containerAuthFiles: [...new Set([...entry.files, ...configuration.containerAuthFiles])],
      };
    case 'registry':
      return {
        ...configuration,
        registries: withAll(configuration.registries, entry.registries, entry.config),
      };
    case 'paths': {
      const { data, stage1Images } = entry;
      return {
        ...configuration,
        ...(data === undefined ? {} : { dataDirectory: data }),
        ...(stage1Images === undefined ? {} : { stage1Images }),
      };
    }
    case 'stage1': {
      const { kind: _, ...stage1 } = entry;
      return { ...configuration, stage1: { ...configuration.stage1, ...stage1 } };
    }
    case 'vm': {
      const { kind: _, ids, ...machine } = entry;
      const merged = { ...configuration, machine: { ...configuration.machine, ...machine } };
      return ids === undefined ? merged : { ...merged, vmIds: ids };
    }
    case 'privateUsers':
      return { ...configuration, privateUsers: entry.ids };
    case 'template': {
      const { kind: _, ...templates } = entry;
      return { ...configuration, templates };
    }
    default:
      return entry satisfies never;
  }
}

function withAll<V>(map: ReadonlyMap<string, V>, keys: readonly string[], value: V): ReadonlyMap<string, V> {
  return new Map([...map, ...keys.map((key) => [key, value] as const)]);
}
