/** Settings of the network namespace that the process is in, below /proc/sys/net. */
import { readTextIfPresent, writeControl } from '../src/native/contents.ts';
import { unless } from '../src/native/errors.ts';

const LARGEST = 4096;

/** Writes what differs; nothing where the kernel has no such setting, as one without IPv6. */
export function setSysctl(name: string, value: string): void {
  const path = `/proc/sys/net/${name}`;
  const now = readTextIfPresent(path, LARGEST)?.trim();
  if (now !== undefined && now !== value) unless(['ENOENT'], () => writeControl(path, value));
}

/** Packets of others are passed on, of the families that the addresses are of. */
export function enableForwarding(hasV4: boolean, hasV6: boolean): void {
  if (hasV4) setSysctl('ipv4/ip_forward', '1');
  if (hasV6) setSysctl('ipv6/conf/all/forwarding', '1');
}

/** Whoever knew the address by another interface is told when this one comes up. */
export function announceAddresses(name: string): void {
  setSysctl(`ipv4/conf/${name}/arp_notify`, '1');
  setSysctl(`ipv6/conf/${name}/ndisc_notify`, '1');
}

export function enableV6(name: string): void {
  setSysctl(`ipv6/conf/${name}/disable_ipv6`, '0');
}
