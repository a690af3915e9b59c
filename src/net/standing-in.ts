/** What has to be there for DEL of a container whose network namespace has gone: plugins look for some of it in the namespace. */
import type { CniResult } from './cni/result.ts';

/** An interface of the container as ADD has left it. */
export interface StandIn {
  readonly name: string;
  readonly mac: string | undefined;
  /** With their prefix lengths. */
  readonly addresses: readonly string[];
}

/** `leased` are addresses that are known to be the interface's where no ADD has said so. */
export function standIns(
  ifName: string,
  result: CniResult | undefined,
  leased: readonly string[],
): readonly StandIn[] {
  const { interfaces = [], ips = [] } = result ?? {};
  const inside = interfaces.flatMap(({ name, mac, sandbox }, index) =>
    isInside(sandbox) ? [{ name, mac, index }] : [],
  );
  // Versions before 0.3.0 tell of no interfaces.
  const all = inside.some(({ name }) => name === ifName)
    ? inside
    : [{ name: ifName, mac: undefined, index: -1 }, ...inside];
  return all.map(({ name, mac, index }) => {
    const own = ips.filter((ip) => ip.interface === index || (ip.interface === undefined && name === ifName));
    const addresses = own.map(({ address }) => address);
    const more = name === ifName ? leased.filter((address) => !addresses.some(isOf(address))) : [];
    return { name, mac, addresses: [...addresses, ...more] };
  });
}

function isOf(leased: string): (address: string) => boolean {
  return (address) => address.split('/')[0] === leased;
}

/** The same result in another namespace: the path of the old one may lead to a stranger's by now. */
export function movedResult(result: CniResult, netns: string): CniResult {
  const interfaces = result.interfaces.map((one) =>
    isInside(one.sandbox) ? { ...one, sandbox: netns } : one,
  );
  return { ...result, interfaces };
}

function isInside(sandbox: string | undefined): boolean {
  return sandbox !== undefined && sandbox !== '';
}
