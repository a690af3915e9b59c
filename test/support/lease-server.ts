import { join } from 'node:path';
import type { BackgroundProgram, NetworkHost } from './network-host.ts';
import { eventually } from './polling.ts';

/** Where dnsmasq keeps its leases, on the host. */
export const LEASES = '/run/leases';

/** dnsmasq at a new bridge of the host's, as 10.77.0.1, and the daemon of the plugin dhcp. Both go on until they are disposed of. */
export async function serveLeases(
  host: NetworkHost,
  bridge: string,
  directory: string,
  ...options: readonly string[]
): Promise<BackgroundProgram[]> {
  await host.ip(
    `link add ${bridge} type bridge`,
    `addr add 10.77.0.1/24 dev ${bridge}`,
    `link set ${bridge} up`,
  );
  const server = host.start(
    ...['dnsmasq', '--conf-file=/dev/null', '--no-daemon', '--port=0', `--interface=${bridge}`],
    ...['--bind-interfaces', '--no-ping', '--dhcp-authoritative', '--pid-file=', '--log-dhcp'],
    ...[`--dhcp-leasefile=${LEASES}`, '--dhcp-range=10.77.0.50,10.77.0.99,255.255.255.0,2m', ...options],
  );
  await eventually('dnsmasq serves', () => server.output.includes('DHCP, IP range'));
  // Debian's daemon makes no directory for its socket.
  await host.run('mkdir', '-p', '/run/cni');
  const daemon = host.start(join(directory, 'dhcp'), 'daemon');
  const listens = async () => (await host.try(['test', '-S', '/run/cni/dhcp.sock'])).exitCode === 0;
  await eventually('the daemon listens', listens);
  return [server, daemon];
}
