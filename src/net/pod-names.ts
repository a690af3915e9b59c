/** How pods that share a network find each other: lines for their hosts files. */
import type { NetInfo } from '../abi/net-info.ts';
import { canonicalAddress } from './address.ts';

export interface NamedPod {
  readonly uuid: string;
  /** What it was called with `--pod-name`. */
  readonly name: string | undefined;
  readonly hostname: string | undefined;
  readonly networks: readonly NetInfo[];
}

/**
 * A line for each address that `others` have on a network of `own`. Names of pods come first, of which a data directory has each
 * once: of host names, whoever is called so first in the order of UUIDs has it.
 */
export function namesOfOthers(own: NamedPod, others: readonly NamedPod[]): string {
  const taken = new Set(['localhost', ...namesOf(own)]);
  const reached = others
    .map((pod) => ({ pod, addresses: sharedAddresses(own, pod) }))
    .filter(({ addresses }) => addresses.length > 0)
    .sort((a, b) => (a.pod.uuid < b.pod.uuid ? -1 : 1));
  const owners = new Map<string, NamedPod>();
  for (const key of ['name', 'hostname'] as const)
    for (const { pod } of reached) {
      const name = usable(pod[key]);
      if (name !== undefined && !taken.has(name) && !owners.has(name)) owners.set(name, pod);
    }
  return reached
    .flatMap(({ pod, addresses }) => {
      const names = namesOf(pod).filter((name) => owners.get(name) === pod);
      return names.length === 0 ? [] : addresses.map((address) => `${address}\t${names.join(' ')}\n`);
    })
    .join('');
}

function namesOf({ name, hostname }: NamedPod): string[] {
  return [...new Set([usable(name), usable(hostname)])].filter((known) => known !== undefined);
}

/**
 * A name of one label is nobody's in the world. One with dots could stand for a machine elsewhere, which a pod would speak for
 * that happens to share a network.
 */
function usable(name: string | undefined): string | undefined {
  const lower = name?.toLowerCase() ?? '';
  return /^[a-z0-9]([a-z0-9_-]{0,62}[a-z0-9])?$/.test(lower) && !/^[0-9]+$/.test(lower) ? lower : undefined;
}

function sharedAddresses(own: NamedPod, other: NamedPod): readonly string[] {
  const shared = new Set(own.networks.map(({ netName }) => netName));
  const addresses = other.networks
    .filter(({ netName }) => shared.has(netName))
    .flatMap(({ addresses, ip }) => (addresses.length > 0 ? addresses : [ip]))
    .map((address) => canonicalAddress(address.split('/')[0] ?? ''));
  return [...new Set(addresses)].filter((address) => address !== undefined);
}
