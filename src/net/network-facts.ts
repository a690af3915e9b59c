/** What there is to tell of a network that a pod has been attached to. */
import type { NetInfo } from '../abi/net-info.ts';
import { type CniResult, isV6, type ResultIp } from './cni/result.ts';
import type { ChosenNetwork } from './network-choice.ts';

/** `pluginPath` is the chain's first plugin, which has made the interface. */
export function netInfo(
  { list, args, ifName }: ChosenNetwork,
  pluginPath: string,
  result: CniResult,
): NetInfo {
  const ips = containerIps(result);
  const first = ips.find(({ address }) => !isV6(address)) ?? ips[0];
  const { address: ip = '', length } = first === undefined ? {} : parseCidr(first.address);
  const own = result.interfaces.find(({ name, sandbox }) => name === ifName && isInside(sandbox));
  return {
    netName: list.name,
    netConf: list.source,
    pluginPath,
    ifName,
    ip,
    args,
    mask: length === undefined ? '' : maskText(length, isV6(ip)),
    ...(first?.gateway === undefined ? {} : { hostIP: first.gateway }),
    addresses: ips.map(({ address }) => address),
    ...(own?.mac === undefined ? {} : { mac: own.mac }),
  };
}

/** Addresses that belong to an interface of the host are in a result, too. */
function containerIps({ ips, interfaces }: CniResult): readonly ResultIp[] {
  return ips.filter(({ interface: index }) => index === undefined || isInside(interfaces[index]?.sandbox));
}

function isInside(sandbox: string | undefined): boolean {
  return sandbox !== undefined && sandbox !== '';
}

/** `10.1.2.3/24`; an address alone is one without a network. */
function parseCidr(text: string): { readonly address: string; readonly length: number } {
  const [address = '', length] = text.split('/');
  return { address, length: length === undefined ? (isV6(address) ? 128 : 32) : Number(length) };
}

/** As rkt has it: the mask as if it were an address. */
function maskText(length: number, isV6Mask: boolean): string {
  const bits = isV6Mask ? 16 : 8;
  const parts = Array.from({ length: isV6Mask ? 8 : 4 }, (_, index) => {
    const ones = Math.min(Math.max(length - index * bits, 0), bits);
    return 2 ** bits - 2 ** (bits - ones);
  });
  if (!isV6Mask) return parts.join('.');
  const used = parts.findLastIndex((part) => part !== 0) + 1;
  const text = parts.slice(0, used).map((part) => part.toString(16));
  return used >= parts.length - 1 ? parts.map((part) => part.toString(16)).join(':') : `${text.join(':')}::`;
}
