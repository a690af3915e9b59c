/** What plugins that change others' interfaces take from the result before them. */
import { parseIp } from '../../src/native/netlink/ip.ts';
import type { CniResult, ResultIp } from '../../src/net/cni/result.ts';
import { badConfiguration } from '../failure.ts';
import { type Cidr, parseCidr } from '../ip.ts';
import type { PluginRequest } from '../request.ts';

/** The plugin changes what others have made: without them there is nothing to do it to. */
export function requirePrevious({ config }: PluginRequest): CniResult {
  if (config.prevResult !== undefined) return config.prevResult;
  throw badConfiguration(`${config.type} comes after another plugin in a list: prevResult is missing`);
}

/** The container's addresses; those of interfaces on the host are left out. */
export function containerAddresses({ ips, interfaces }: CniResult): Cidr[] {
  const isInside = ({ interface: index }: ResultIp) =>
    index === undefined || interfaces[index]?.sandbox !== undefined;
  return ips.filter(isInside).map(({ address }) => parseCidr(address));
}

/** An address as the configuration has it, or an error that names its place. */
export function checkedAddress(text: string, where: string): Uint8Array {
  try {
    return parseIp(text);
  } catch {
    throw badConfiguration(`${where}: '${text}' is no ip address`);
  }
}
