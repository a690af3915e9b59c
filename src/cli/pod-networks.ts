/** How `list` and `status` show the networks of a pod. */
import type { NetworkRecord, PodRecord } from '../stage0/list.ts';
import type { JsonValue } from './json.ts';
import { printable } from './printable.ts';

/** `default:ip4=172.16.28.2, lab:ip4=10.1.2.3, lab:ip6=fd00::3`: rkt's form, which has one address of a network. */
export function networksText(networks: readonly NetworkRecord[]): string {
  const parts = networks.flatMap(({ netName, ip, addresses }) => {
    const all = addresses.length === 0 ? [ip] : addresses.map((address) => address.replace(/\/.*/, ''));
    return all.map((address) => `${netName}${addressText(address)}`);
  });
  return printable(parts.join(', '));
}

/** An interface may have none. */
function addressText(address: string): string {
  return address === '' ? '' : `:${address.includes(':') ? 'ip6' : 'ip4'}=${address}`;
}

/** Undefined where there are none, or the pod's stage1 does not tell. */
export function networksJson({ networks }: PodRecord): readonly JsonValue[] | undefined {
  return networks === undefined || networks.length === 0 ? undefined : networks.map(networkJson);
}

/** rkt's fields, then ours. */
function networkJson(network: NetworkRecord): JsonValue {
  const { netName, netConf, pluginPath, ifName, ip, args, mask, addresses, mac } = network;
  return { netName, netConf, pluginPath, ifName, ip, args, mask, addresses: [...addresses], mac };
}
