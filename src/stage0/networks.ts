import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { NetError } from '../net/error.ts';
import {
  BUILT_IN_NETWORKS,
  isNetworkFile,
  LARGEST_NETWORK_FILE,
  type NetworkFile,
  type NetworkList,
  parseNetworkFile,
} from '../net/network-list.ts';
import { GivenFileError, readGivenText } from '../os/given-file.ts';
import { isSystemError } from '../os/syscall.ts';
import type { Host } from './host.ts';

export interface KnownNetwork {
  readonly name: string;
  /** The types of its plugins. */
  readonly plugins: readonly string[];
}

/** What `--net` may name. */
export function knownNetworks(host: Host): KnownNetwork[] {
  return networkLists(host).map(({ name, plugins }) => ({
    name,
    plugins: plugins.map(({ type }) => String(type)),
  }));
}

/** All networks, each name once. A file that cannot be read is told of when a pod is started, which reads them again. */
export function networkLists({ localConfig }: Host): NetworkList[] {
  const local = filesOf(join(localConfig, 'net.d'), isNetworkFile).flatMap(parse);
  const known = new Map<string, NetworkList>();
  for (const list of [...local, ...BUILT_IN_NETWORKS]) if (!known.has(list.name)) known.set(list.name, list);
  return [...known.values()];
}

function parse({ path, text }: NetworkFile): NetworkList[] {
  try {
    return [
      parseNetworkFile(path, text, (directory) => filesOf(directory, (name) => name.endsWith('.conf'))),
    ];
  } catch (error) {
    if (error instanceof NetError) return [];
    throw error;
  }
}

function filesOf(directory: string, isWanted: (name: string) => boolean): NetworkFile[] {
  const names = ifReadable(() => readdirSync(directory)) ?? [];
  return names
    .filter(isWanted)
    .sort()
    .flatMap((name) => {
      const path = join(directory, name);
      const text = ifReadable(() => readGivenText(path, LARGEST_NETWORK_FILE));
      return text === undefined ? [] : [{ path, text }];
    });
}

function ifReadable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof GivenFileError) return undefined;
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO', 'EACCES')) return undefined;
    throw error;
  }
}
