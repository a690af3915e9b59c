import type { IdRange } from '../abi/id-range.ts';
import type { BasicCredentials, Credentials, MachineConfig, TemplateSettings } from './entries.ts';
import type { RegistryConfig } from './registry.ts';

/** The configuration of a host: what its layers say together. */
export interface Configuration {
  /** By domain, `HOST[:PORT]`. */
  readonly auth: ReadonlyMap<string, Credentials>;
  /** By registry, as `canonicalRegistry` names it. */
  readonly dockerAuth: ReadonlyMap<string, BasicCredentials>;
  /** Further files of credentials for registries, in the formats of Docker and of containers' tools; the first counts most. */
  readonly containerAuthFiles: readonly string[];
  /** By registry, as `canonicalRegistry` names it. */
  readonly registries: ReadonlyMap<string, RegistryConfig>;
  readonly dataDirectory?: string;
  readonly stage1Images?: string;
  /** The default stage1: by name and version, else from the location. */
  readonly stage1: { readonly name?: string; readonly version?: string; readonly location?: string };
  /** The uids and gids for the virtual machine monitors of this host's pods. */
  readonly vmIds?: IdRange;
  readonly machine: MachineConfig;
  /** Those that pods with users of their own get ranges of. */
  readonly privateUsers?: IdRange;
  /** Who starts pods from the same saved machines. */
  readonly templates?: TemplateSettings;
}
