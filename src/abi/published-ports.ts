/** Ports of the host that lead to a pod: `ports.json` in its directory, written before its machine starts and never changed. */
import { FieldReader } from './json.ts';

export const PORT_PROTOCOLS = ['tcp', 'udp', 'sctp'] as const;
export type PortProtocol = (typeof PORT_PROTOCOLS)[number];

/** `count` ports of the host from `hostPort` on, that lead to as many of the pod from `podPort` on. */
export interface PublishedPort {
  readonly name: string;
  readonly protocol: PortProtocol;
  /** As `canonicalAddress` has it; `0.0.0.0` and `::` stand for each of their kind. Undefined for every address. */
  readonly hostIP?: string;
  readonly hostPort: number;
  readonly podPort: number;
  readonly count: number;
}

export const LARGEST_PORT = 65_535;

/** As many as a plugin that publishes them reads: each is some rules of the host. */
export const MOST_PORTS = 4096;

export function formatPublishedPorts(ports: readonly PublishedPort[]): string {
  return `${JSON.stringify(ports)}\n`;
}

/** Inverse of `formatPublishedPorts`. @throws AbiError `bad-message`, SyntaxError */
export function parsePublishedPorts(text: string): readonly PublishedPort[] {
  const wrapped = new FieldReader({ ports: JSON.parse(text) }, 'file');
  return wrapped.list('ports', MOST_PORTS, parsePort);
}

function parsePort(value: unknown, where: string): PublishedPort {
  const fields = new FieldReader(value, where);
  const port = (key: string) => fields.integer(key, 1, LARGEST_PORT);
  return {
    name: fields.text('name'),
    protocol: fields.word('protocol', PORT_PROTOCOLS),
    ...(fields.has('hostIP') ? { hostIP: fields.text('hostIP') } : {}),
    hostPort: port('hostPort'),
    podPort: port('podPort'),
    count: fields.integer('count', 1, MOST_PORTS),
  };
}
