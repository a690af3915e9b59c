import { readGivenText } from '../os/given-file.ts';
import { isSystemError } from '../os/syscall.ts';
import { helperServers, scopesOf } from './auth-key.ts';
import {
  type ContainerAuthFile,
  type ContainerCredentials,
  LARGEST_AUTH_FILE,
  parseContainerAuth,
} from './container-auth-file.ts';
import { ConfigError } from './errors.ts';
import { canonicalRegistry } from './registry.ts';

export type { ContainerCredentials } from './container-auth-file.ts';

/** Credentials that the user keeps for other container tools. */
export interface ContainerAuth {
  /**
   * Those for a repository: of the narrowest scope that has any, else what a credential helper knows of the registry.
   * Throws ConfigError `credential-helper`.
   */
  lookup(
    registry: string,
    repository: string,
    signal?: AbortSignal,
  ): Promise<ContainerCredentials | undefined>;
}

export interface ContainerAuthPaths {
  /** Named for this one command: they must be there. */
  readonly given: readonly string[];
  /** Of the configuration: nobody may have logged in yet, and not everybody may read them. */
  readonly configured: readonly string[];
}

/** Reads credentials files; those given count more than those of the configuration, earlier ones more than later ones. Throws ConfigError. */
export function openContainerAuth({ given, configured }: ContainerAuthPaths): ContainerAuth {
  const files = [
    ...given.map(readContainerAuth),
    ...configured.flatMap((path) => unlessHidden(() => readContainerAuth(path))),
  ];
  return {
    lookup: async (registry, repository, signal) => {
      for (const file of files) {
        const found = await lookUp(file, registry, repository, signal);
        if (found !== undefined) return found;
      }
      return undefined;
    },
  };
}

function readContainerAuth(path: string): ContainerAuthFile {
  try {
    return parseContainerAuth(readGivenText(path, LARGEST_AUTH_FILE), path);
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    throw new ConfigError('bad-file', `unable to read credentials from ${path}`, { cause });
  }
}

function unlessHidden(read: () => ContainerAuthFile): ContainerAuthFile[] {
  try {
    return [read()];
  } catch (error) {
    if (error instanceof ConfigError && isSystemError(error.cause, 'ENOENT', 'EACCES')) return [];
    throw error;
  }
}

async function lookUp(
  file: ContainerAuthFile,
  registry: string,
  repository: string,
  signal: AbortSignal | undefined,
): Promise<ContainerCredentials | undefined> {
  const own = file.helpers.get(canonicalRegistry(registry));
  const stored = scopesOf(registry, repository)
    .map((scope) => file.stored.get(scope))
    .find((credentials) => credentials !== undefined);
  const helper = own ?? (stored === undefined ? file.store : undefined);
  if (helper === undefined) return stored;
  // What runs programs is loaded only where one is to be run.
  const { askCredentialHelper } = await import('./credential-helper.ts');
  for (const server of helperServers(registry)) {
    const found = await askCredentialHelper(helper, server, signal);
    if (found !== undefined) return found;
  }
  return undefined;
}
