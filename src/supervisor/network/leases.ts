/**
 * Leases of `host-local`, whoever's plugin it is: a directory for each network, and in it a file by the name of each address, with the
 * container's id and its interface. What a plugin that was killed has come to stands there, and nowhere else.
 */
import type { JsonObject } from '../../abi/json.ts';
import { readTextIfPresent } from '../../native/contents.ts';
import { readdir } from '../../native/directories.ts';
import { unless } from '../../native/errors.ts';
import { unlink } from '../../native/paths.ts';
import { canonicalAddress } from '../../net/address.ts';
import type { NetworkList } from '../../net/network-list.ts';
import { lockWithin } from './lock.ts';

const PLUGIN = 'host-local';
const DATA_DIRECTORY = '/var/lib/cni/networks';
const LARGEST = 4096;
/** Plugins have it for as long as they look for an address. */
const LOCK_MILLISECONDS = 10_000;

/** To be called in the host's mount namespace. */
export function leasedAddresses(list: NetworkList, containerId: string, ifName: string): string[] {
  return directories(list).flatMap((directory) =>
    addressFiles(directory).filter((name) => {
      const [owner, interfaceName = ''] = lines(`${directory}/${name}`);
      return owner === containerId && (interfaceName === ifName || interfaceName === '');
    }),
  );
}

/**
 * Takes away leases without an owner: of the reference plugin, killed after it had made the file and before it had written into it.
 * While nobody has the lock, nobody else is about to write.
 */
export function removeOwnerless(list: NetworkList): void {
  for (const directory of directories(list)) {
    using lock = lockWithin(`${directory}/lock`, LOCK_MILLISECONDS);
    if (lock === undefined) continue;
    for (const name of addressFiles(directory)) {
      const path = `${directory}/${name}`;
      if (readTextIfPresent(path, LARGEST)?.trim() === '') unless(['ENOENT'], () => unlink(path));
    }
  }
}

function directories({ name, plugins }: NetworkList): string[] {
  return plugins.flatMap(({ ipam }) => {
    const { type, dataDir }: JsonObject = isObject(ipam) ? ipam : {};
    if (type !== PLUGIN) return [];
    const base = typeof dataDir === 'string' && dataDir !== '' ? dataDir : DATA_DIRECTORY;
    return [`${base}/${name}`];
  });
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function addressFiles(directory: string): string[] {
  const names = unless(['ENOENT', 'ENOTDIR'], () => readdir(directory)) ?? [];
  return names.filter((name) => canonicalAddress(name) !== undefined);
}

function lines(path: string): string[] {
  return (readTextIfPresent(path, LARGEST) ?? '').trim().split(/\r?\n/);
}
