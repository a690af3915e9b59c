/** What an ADD has made, in the form of the newest version. Addresses are text; `src/net` does not calculate with them. */
export interface CniResult {
  readonly interfaces: readonly ResultInterface[];
  readonly ips: readonly ResultIp[];
  readonly routes: readonly ResultRoute[];
  readonly dns: Dns;
}

export interface ResultInterface {
  readonly name: string;
  readonly mac?: string;
  readonly mtu?: number;
  /** The container's network namespace; none for what is on the host. */
  readonly sandbox?: string;
  readonly socketPath?: string;
  readonly pciID?: string;
}

export interface ResultIp {
  /** With its prefix length: `10.1.2.3/24`. */
  readonly address: string;
  readonly gateway?: string;
  /** Index in `interfaces`. */
  readonly interface?: number;
}

export interface ResultRoute {
  readonly dst: string;
  readonly gw?: string;
  readonly mtu?: number;
  readonly advmss?: number;
  readonly priority?: number;
  readonly table?: number;
  readonly scope?: number;
}

export interface Dns {
  readonly nameservers?: readonly string[];
  readonly domain?: string;
  readonly search?: readonly string[];
  readonly options?: readonly string[];
}

export const EMPTY_RESULT: CniResult = { interfaces: [], ips: [], routes: [], dns: {} };

export function isV6(address: string): boolean {
  return address.includes(':');
}

/** Whether somebody has configured any of it. */
export function hasDns(dns: Dns): boolean {
  return [dns.nameservers, dns.domain, dns.search, dns.options].some((part) => (part?.length ?? 0) > 0);
}
