import { type Cursor, fields, oneOf, quote, string } from '../appc/json.ts';
import { withoutUndefined } from '../appc/json-value.ts';
import { absolutePath, nonEmptyListOf } from './readers.ts';

/** How a registry of OCI and Docker images is spoken to, and what its images are verified with. */
export interface RegistryConfig {
  /** `HOST[:PORT]`, in the order in which they are asked before the registry itself. */
  readonly mirrors: readonly string[];
  /** What this registry may go without, whatever `--insecure-options` says. */
  readonly insecure: ReadonlySet<'tls' | 'http'>;
  /** Where simple signatures are: a URL of https or file, without a slash at its end. */
  readonly lookaside?: string;
  /** Absolute paths of PEM public keys; one of them must have signed an image. */
  readonly cosignKeys: readonly string[];
}

const DOCKER_HUB = 'registry-1.docker.io';
const DOCKER_HUB_NAMES: ReadonlySet<string> = new Set(['docker.io', 'index.docker.io', DOCKER_HUB]);

/** The one name of a registry: hosts know no case, and Docker's has three names. */
export function canonicalRegistry(registry: string): string {
  const name = registry.toLowerCase();
  return DOCKER_HUB_NAMES.has(name) ? DOCKER_HUB : name;
}

const REGISTRY = /^(?:\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?)(?::([1-9]\d{0,4}))?$/;
const LARGEST_PORT = 65_535;

/** Reads `HOST[:PORT]`, in canonical form. */
function registryName(at: Cursor): string {
  const text = string(at);
  const match = REGISTRY.exec(text.toLowerCase());
  if (match !== null && Number(match[1] ?? 0) <= LARGEST_PORT) return canonicalRegistry(text);
  throw at.refuse('invalid-value', at.path, `expected HOST[:PORT], got ${quote(text)}`);
}

export interface RegistryEntry {
  readonly registries: readonly string[];
  readonly config: RegistryConfig;
}

export function readRegistry(at: Cursor): RegistryEntry {
  const registry = fields(at);
  return {
    registries: registry.required('registries', nonEmptyListOf(registryName)),
    config: withoutUndefined({
      mirrors: registry.list('mirrors', registryName),
      insecure: new Set(registry.list('insecure', oneOf('tls', 'http'))),
      lookaside: registry.optional('lookaside', readLookaside),
      cosignKeys: registry.list('cosignKeys', absolutePath),
    }),
  };
}

// Plain http is left out: nothing says that `insecure` of the registry was meant for another server as well.
function readLookaside(at: Cursor): string {
  const text = string(at);
  const isUsable = /^(?:https:\/\/[^/]|file:\/\/\/)/.test(text) && isPlainUrl(text);
  if (isUsable) return text.replace(/(?<=[^:/])\/+$/, '');
  throw at.refuse('invalid-value', at.path, `expected https://... or file:///..., got ${quote(text)}`);
}

/** Names of signatures are added to its path. */
function isPlainUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { username, password, search, hash } = new URL(text);
  return [username, password, search, hash].every((part) => part === '');
}
