/** Which ports of the host lead where: parsed, and compared with those of others. */
import { FieldReader } from '../../src/abi/json.ts';
import { formatIp } from '../../src/native/netlink/ip.ts';
import { parseList } from '../../src/net/cni/result-parts.ts';
import { badConfiguration } from '../failure.ts';
import type { Cidr } from '../ip.ts';
import type { IpVersion } from '../iptables.ts';
import { text } from '../options.ts';
import type { PluginRequest } from '../request.ts';
import { checkedAddress } from './chained.ts';

const PROTOCOLS = ['tcp', 'udp', 'sctp'] as const;
const LARGEST_PORT = 65535;

type Protocol = (typeof PROTOCOLS)[number];

/** One rule's worth: a port of one address of the container. */
export interface PublishedPort {
  readonly protocol: Protocol;
  readonly hostPort: number;
  readonly containerPort: number;
  readonly version: IpVersion;
  /** Undefined for every address that the host has. */
  readonly hostIp: string | undefined;
  readonly container: Cidr;
}

interface PortMapping extends Pick<PublishedPort, 'protocol' | 'hostPort' | 'containerPort'> {
  /** Of four bytes, or sixteen; undefined for every address of either family. */
  readonly hostIp: Uint8Array | undefined;
}

/** Of each family the container's first address is published, where the host's is not of the other one. */
export function publishedPorts({ config }: PluginRequest, addresses: readonly Cidr[]): PublishedPort[] {
  const mappings = parseList(config.runtime, 'portMappings', parseMapping);
  const ofLength = (length: number) => addresses.find(({ ip }) => ip.length === length);
  const targets = [
    { version: 'v4', length: 4, container: ofLength(4) },
    { version: 'v6', length: 16, container: ofLength(16) },
  ] as const;
  return mappings.flatMap(({ hostIp, ...mapping }) =>
    targets.flatMap(({ version, length, container }) => {
      if (container === undefined || (hostIp !== undefined && hostIp.length !== length)) return [];
      const isAny = hostIp === undefined || hostIp.every((byte) => byte === 0);
      return [{ ...mapping, version, container, hostIp: isAny ? undefined : formatIp(hostIp) }];
    }),
  );
}

function parseMapping(value: unknown, where: string): PortMapping {
  const fields = new FieldReader(value, where);
  const name = (text(fields, 'protocol') ?? 'tcp').toLowerCase();
  const protocol = PROTOCOLS.find((known) => known === name);
  if (protocol === undefined)
    throw badConfiguration(`${where}.protocol is '${name}', not one of ${PROTOCOLS.join(', ')}`);
  const address = text(fields, 'hostIP');
  const hostIp = address === undefined ? undefined : checkedAddress(address, `${where}.hostIP`);
  if (hostIp !== undefined && formatIp(hostIp) === '::1')
    throw badConfiguration(
      `${where}.hostIP is ::1, whose packets never leave the host: 127.0.0.1 can be published`,
    );
  return {
    protocol,
    hostPort: fields.integer('hostPort', 1, LARGEST_PORT),
    containerPort: fields.integer('containerPort', 1, LARGEST_PORT),
    hostIp,
  };
}

const ANY = { v4: '0.0.0.0', v6: '::' } as const;

/** What a port takes of the host, as its rules say it in their comments. */
export function formatClaim({ protocol, hostPort, version, hostIp }: PublishedPort): string {
  return `${protocol} ${hostPort} ${hostIp ?? ANY[version]}`;
}

/** The first port that somebody else has, in the text of their rules. */
export function findConflict(ports: readonly PublishedPort[], rules: string): PublishedPort | undefined {
  const taken = [...rules.matchAll(/comment "(tcp|udp|sctp) (\d+) ([0-9a-f.:]+)"/g)].map(
    ([, protocol, port, address = '']) => ({ port: `${protocol} ${port}`, address }),
  );
  return ports.find(({ protocol, hostPort, version, hostIp }) =>
    taken.some(({ port, address }) => {
      if (port !== `${protocol} ${hostPort}` || address.includes(':') !== (version === 'v6')) return false;
      return hostIp === undefined || address === ANY[version] || address === hostIp;
    }),
  );
}

/** `10.1.2.3:80`, `[fd00::2]:80`. */
export function formatTarget({ container, containerPort, version }: PublishedPort): string {
  const address = formatIp(container.ip);
  return `${version === 'v4' ? address : `[${address}]`}:${containerPort}`;
}
