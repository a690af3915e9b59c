/** Which ports of the host lead to a pod, by its manifest; and which of two pods' exclude each other. */
import {
  LARGEST_PORT,
  MOST_PORTS,
  PORT_PROTOCOLS,
  type PortProtocol,
  type PublishedPort,
} from '../abi/published-ports.ts';
import type { ExposedPort, PodManifest, Port } from '../appc/index.ts';
import { canonicalAddress } from './address.ts';
import { NetError } from './error.ts';

/** As the manifest asks for it: port 0 of the host is any that is free. */
export type WantedPort = PublishedPort;

/** @throws NetError `bad-request` for ports that no app has, and for two that exclude each other */
export function wantedPorts(manifest: PodManifest): readonly WantedPort[] {
  const wanted = manifest.ports.map((exposed) => wantedPort(exposed, podPortOf(manifest, exposed)));
  const total = wanted.reduce((sum, { count }) => sum + count, 0);
  if (total > MOST_PORTS)
    throw new NetError('bad-request', `a pod publishes at most ${MOST_PORTS} ports, not ${total}`);
  for (const [index, port] of wanted.entries()) {
    const other = wanted.slice(0, index).find((earlier) => port.hostPort !== 0 && overlaps(earlier, port));
    if (other !== undefined)
      throw new NetError(
        'bad-request',
        `${formatHostPort(port)} is published twice: ${other.name}, ${port.name}`,
      );
  }
  return wanted;
}

function wantedPort(exposed: ExposedPort, { protocol, port, count }: Port): WantedPort {
  const { name, hostPort } = exposed;
  const last = hostPort + count - 1;
  if (last > LARGEST_PORT)
    throw new NetError('bad-request', `port ${name}: ${count} from ${hostPort} go beyond ${LARGEST_PORT}`);
  const address = hostAddress(exposed);
  return { name, protocol: protocolOf(name, protocol), ...address, hostPort, podPort: port, count };
}

/** The exposed port's own description counts: it was written for the pod, and an image has no say in it. */
function podPortOf({ apps }: PodManifest, { name, podPort }: ExposedPort): Port {
  if (podPort !== undefined) return podPort;
  const owners = apps.flatMap(({ name: app, app: { ports = [] } = {} }) =>
    ports.filter((port) => port.name === name).map((port) => ({ app, port })),
  );
  const [owner, other] = owners;
  if (owner === undefined) {
    const known = apps.flatMap(({ app }) => app?.ports ?? []).map((port) => port.name);
    const list = known.length === 0 ? 'they have none' : `they have ${known.join(', ')}`;
    throw new NetError('bad-request', `port ${JSON.stringify(name)} is not defined by any app: ${list}`);
  }
  if (other !== undefined)
    throw new NetError(
      'bad-request',
      `apps ${owner.app} and ${other.app} both define port ${JSON.stringify(name)}`,
    );
  return owner.port;
}

function protocolOf(name: string, text: string): PortProtocol {
  const protocol = PORT_PROTOCOLS.find((known) => known === text.toLowerCase());
  if (protocol !== undefined) return protocol;
  const known = PORT_PROTOCOLS.join(', ');
  throw new NetError('bad-request', `port ${name}: ${JSON.stringify(text)} is not one of ${known}`);
}

function hostAddress({ name, hostIP: text }: ExposedPort): Pick<PublishedPort, 'hostIP'> {
  if (text === undefined) return {};
  const hostIP = canonicalAddress(text);
  if (hostIP === undefined)
    throw new NetError('bad-request', `port ${name}: ${JSON.stringify(text)} is no IP address`);
  if (hostIP === '::1')
    throw new NetError(
      'bad-request',
      `port ${name}: what is sent to ::1 never leaves the host; 127.0.0.1 can be published`,
    );
  return { hostIP };
}

/** What a port takes of the host. */
export type HostPorts = Pick<PublishedPort, 'protocol' | 'hostIP' | 'hostPort' | 'count'>;

/** Whether there is a port that both want. */
export function overlaps(a: HostPorts, b: HostPorts): boolean {
  const intersect = a.hostPort < b.hostPort + b.count && b.hostPort < a.hostPort + a.count;
  return a.protocol === b.protocol && intersect && meet(a.hostIP, b.hostIP);
}

const ANY: readonly string[] = ['0.0.0.0', '::'];

function meet(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || b === undefined || a === b) return true;
  const isOneKind = a.includes(':') === b.includes(':');
  return isOneKind && (ANY.includes(a) || ANY.includes(b));
}

/** `tcp port 127.0.0.1:8080`, `udp ports 5000-5009`. */
export function formatHostPort({ protocol, hostIP, hostPort, count }: HostPorts): string {
  const numbers = count === 1 ? `${hostPort}` : `${hostPort}-${hostPort + count - 1}`;
  return `${protocol} port${count === 1 ? '' : 's'} ${addressPrefix(hostIP)}${numbers}`;
}

/** As `--port` takes it: `[::]:8080-8081:80-81/udp`. */
export function formatPublishedPort({ hostIP, hostPort, podPort, count, protocol }: PublishedPort): string {
  const range = (first: number) => (count === 1 ? `${first}` : `${first}-${first + count - 1}`);
  return `${addressPrefix(hostIP)}${range(hostPort)}:${range(podPort)}/${protocol}`;
}

function addressPrefix(hostIP: string | undefined): string {
  if (hostIP === undefined) return '';
  return hostIP.includes(':') ? `[${hostIP}]:` : `${hostIP}:`;
}
