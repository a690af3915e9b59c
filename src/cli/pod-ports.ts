/** How `list` and `status` show what ports of the host lead to a pod. */
import type { PublishedPort } from '../abi/published-ports.ts';
import { formatPublishedPort } from '../stage0/port-request.ts';
import type { JsonValue } from './json.ts';

/** As `--port` takes them: `8080:80/tcp, 127.0.0.1:5000-5009:5000-5009/udp`. */
export function portsText(ports: readonly PublishedPort[]): string {
  return ports.map(formatPublishedPort).join(', ');
}

/** The first port of each row, and how many there are. */
export function portJson({ name, protocol, hostIP, hostPort, podPort, count }: PublishedPort): JsonValue {
  return { name, protocol, host_ip: hostIP, host_port: hostPort, pod_port: podPort, count };
}
