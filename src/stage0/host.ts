import { realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { LOCKS, NETWORKS_LOCK, PORTS_LOCK } from '../abi/pod-directory.ts';
import { type Configuration, readConfiguration } from '../config/index.ts';
import type { ImageEvent } from '../image/index.ts';
import { ensureLockFile } from '../os/lock.ts';
import { ensureSharedDirectory } from '../os/shared-directory.ts';
import { isSystemError } from '../os/syscall.ts';
import type { KeyReview } from '../trust/index.ts';
import { Stage0Error } from './errors.ts';
import type { Check } from './insecure-options.ts';

/** Where a command finds its host's state, as the global flags say; what is absent has rkt's default. */
export interface HostOptions {
  readonly dataDirectory?: string;
  readonly systemConfig?: string;
  readonly localConfig?: string;
  readonly userConfig?: string;
  readonly insecure: ReadonlySet<Check>;
  readonly trustKeysFromHttps?: boolean;
  readonly debug: boolean;
}

/** A host as all verbs see it. */
export interface Host {
  /** Absolute, without symlinks where it exists. */
  readonly dataDirectory: string;
  readonly systemConfig: string;
  readonly localConfig: string;
  readonly configuration: Configuration;
  readonly insecure: ReadonlySet<Check>;
  /** Keys that are announced over https are trusted unseen. */
  readonly trustKeysFromHttps: boolean;
  readonly debug: boolean;
}

/** How a long operation tells of itself, is told to end, and asks. */
export interface Attention {
  readonly report: (event: ImageEvent) => void;
  readonly signal?: AbortSignal;
  /** Whether somebody trusts a key; absent where there is nobody to ask. */
  readonly review?: (review: KeyReview) => Promise<boolean>;
}

const DEFAULTS = {
  dataDirectory: '/var/lib/rkt',
  systemConfig: '/usr/lib/rkt',
  localConfig: '/etc/rkt',
} as const;

/** Reads the configuration. The data directory: the flag, else the `paths` configuration, else the default. */
export function openHost(options: HostOptions): Host {
  refuseEmpty(options);
  const systemConfig = resolve(options.systemConfig ?? DEFAULTS.systemConfig);
  const localConfig = resolve(options.localConfig ?? DEFAULTS.localConfig);
  const layers = [systemConfig, localConfig, ...optional(options.userConfig)];
  const configuration = readConfiguration(layers.map((layer) => resolve(layer)));
  return {
    dataDirectory: canonical(options.dataDirectory ?? configuration.dataDirectory ?? DEFAULTS.dataDirectory),
    systemConfig,
    localConfig,
    configuration,
    insecure: options.insecure,
    trustKeysFromHttps: options.trustKeysFromHttps ?? false,
    debug: options.debug,
  };
}

/** It would be the directory where the command happens to be. */
function refuseEmpty({ dataDirectory, systemConfig, localConfig, userConfig }: HostOptions): void {
  const paths = {
    dir: dataDirectory,
    'system-config': systemConfig,
    'local-config': localConfig,
    'user-config': userConfig,
  };
  const [empty] = Object.entries(paths).find(([, path]) => path === '') ?? [];
  if (empty !== undefined) throw new Stage0Error('bad-request', `--${empty}: no path given`);
}

/** The lock that all share who prepare pods, and that nobody gets for himself meanwhile: what they take is in no pod's plan yet. */
export function preparationLock(host: Host): string {
  return lockFile(host, 'prepareLock');
}

/** Held by who looks whether a name is free, and takes it. */
export function namesLock(host: Host): string {
  return lockFile(host, 'pod-names');
}

/** Held by who looks whether ports of the host are free, and takes them. */
export function portsLock(host: Host): string {
  return lockFile(host, PORTS_LOCK);
}

/** Held by who looks whether ids of the host are free for a pod's users, and takes them. */
export function usersLock(host: Host): string {
  return lockFile(host, 'private-users');
}

/** Held by who makes a volume that outlives pods, or removes one that no pod has. */
export function volumesLock(host: Host): string {
  return lockFile(host, 'volumes');
}

/** Shared by pods while plugins attach them to networks, and held by who has plugins take away what no pod has. */
export function networksLock(host: Host): string {
  return lockFile(host, NETWORKS_LOCK);
}

function lockFile(host: Host, name: string): string {
  const directory = join(host.dataDirectory, LOCKS);
  ensureSharedDirectory(directory);
  return ensureLockFile(join(directory, name));
}

function optional(path: string | undefined): string[] {
  return path === undefined || path === '' ? [] : [path];
}

function canonical(path: string): string {
  const absolute = resolve(path);
  try {
    return realpathSync(absolute);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return absolute;
    throw error;
  }
}
