/** What a server has given, read from its acknowledgement. */
import { Unpacker } from '../../../src/native/bytes.ts';
import { utf8Decode } from '../../../src/native/engine.ts';
import { formatIp } from '../../../src/native/netlink/ip.ts';
import type { CniResult, ResultRoute } from '../../../src/net/cni/result.ts';
import { type Options, option, type Reply } from './message.ts';

const IP_BYTES = 4;
/** Where a server names none. */
const STANDARD_PREFIX = 24;
const FOREVER = 0xffffffff;
const SHORTEST_LEASE = 10;

export interface Lease {
  readonly address: Uint8Array;
  readonly server: Uint8Array | undefined;
  /** Seconds from the acknowledgement on; undefined for one without an end. */
  readonly times: { readonly renewal: number; readonly end: number } | undefined;
  readonly result: CniResult;
}

export function leaseOf({ address, options }: Reply, priority: number | undefined): Lease {
  const [gateway] = addressesOf(options, option.routers);
  const own = `${formatIp(address)}/${prefixOf(options)}`;
  const routes = routesOf(options, gateway).map((route) =>
    priority === undefined ? route : { ...route, priority },
  );
  return {
    address,
    server: options.get(option.server),
    times: timesOf(options),
    result: {
      interfaces: [],
      ips: [{ address: own, ...(gateway === undefined ? {} : { gateway }) }],
      routes,
      dns: dnsOf(options),
    },
  };
}

function numberOf(options: Options, code: number): number | undefined {
  const value = options.get(code);
  return value?.length === 4 ? new DataView(value.buffer, value.byteOffset).getUint32(0) : undefined;
}

function timesOf(options: Options): Lease['times'] {
  const seconds = numberOf(options, option.leaseTime) ?? FOREVER;
  if (seconds === FOREVER) return undefined;
  const end = Math.max(SHORTEST_LEASE, seconds);
  const asked = numberOf(options, option.renewalTime) ?? Math.floor(end / 2);
  return { end, renewal: Math.min(Math.max(1, asked), end - 1) };
}

function prefixOf(options: Options): number {
  const mask = options.get(option.subnetMask);
  if (mask?.length !== IP_BYTES) return STANDARD_PREFIX;
  const bits = [...mask].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return bits.includes('01') ? STANDARD_PREFIX : bits.replaceAll('0', '').length;
}

function addressesOf(options: Options, code: number): string[] {
  const value = options.get(code) ?? new Uint8Array(0);
  const count = Math.floor(value.length / IP_BYTES);
  return Array.from({ length: count }, (_, n) => formatIp(value.subarray(IP_BYTES * n, IP_BYTES * (n + 1))));
}

/** Classless routes take the place of all others, RFC 3442. */
function routesOf(options: Options, gateway: string | undefined): ResultRoute[] {
  const classless = options.get(option.classlessRoutes);
  if (classless !== undefined) return classlessRoutes(classless);
  const pairs = addressesOf(options, option.staticRoutes);
  const routes = pairs.flatMap((address, index) => {
    const gw = pairs[index + 1];
    return index % 2 === 0 && gw !== undefined ? [{ dst: `${address}/${classOf(address)}`, gw }] : [];
  });
  return gateway === undefined ? routes : [...routes, { dst: '0.0.0.0/0', gw: gateway }];
}

function classOf(address: string): number {
  const first = Number(address.split('.')[0]);
  if (first < 128) return 8;
  return first < 192 ? 16 : 24;
}

function classlessRoutes(bytes: Uint8Array): ResultRoute[] {
  const routes: ResultRoute[] = [];
  for (const fields = new Unpacker(bytes), end = bytes.length; ; ) {
    const length = bytes[fields.offset];
    if (length === undefined || length > 32) return routes;
    const significant = Math.ceil(length / 8);
    if (fields.offset + 1 + significant + IP_BYTES > end) return routes;
    fields.skip(1);
    const network = new Uint8Array(IP_BYTES);
    network.set(fields.take(significant));
    const router = fields.take(IP_BYTES);
    // Without a router the network is on the link itself.
    const gw = router.every((byte) => byte === 0) ? {} : { gw: formatIp(router) };
    routes.push({ dst: `${formatIp(network)}/${length}`, ...gw });
  }
}

function dnsOf(options: Options): CniResult['dns'] {
  const nameservers = addressesOf(options, option.nameServers);
  const domain = utf8Decode(options.get(option.domainName) ?? new Uint8Array(0)).replace(/\0.*$/s, '');
  return {
    ...(nameservers.length === 0 ? {} : { nameservers }),
    ...(/^[A-Za-z0-9.-]+$/.test(domain) ? { domain } : {}),
  };
}
