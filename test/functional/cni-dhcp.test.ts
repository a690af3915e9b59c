import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { rootDir } from '../../tools/paths.ts';
import { CniChain, PLUGIN_SETS, type PluginConfig } from '../support/cni-chain.ts';
import type { BackgroundProgram, NetworkHost } from '../support/network-host.ts';
import { withMachines } from '../support/network-machines.ts';
import { eventually } from '../support/polling.ts';

// Against dnsmasq, which serves the bridge.

const LEASES = '/run/leases';
const OURS = PLUGIN_SETS[0].directory;
const SERVER = fileURLToPath(new URL('../support/dhcp-server.ts', import.meta.url));

async function startServer(
  host: NetworkHost,
  range: string,
  ...more: readonly string[]
): Promise<BackgroundProgram> {
  const server = host.start(
    ...[
      'dnsmasq',
      '--conf-file=/dev/null',
      '--no-daemon',
      '--port=0',
      '--interface=br0',
      '--bind-interfaces',
      '--no-ping',
    ],
    ...[
      '--dhcp-authoritative',
      `--dhcp-leasefile=${LEASES}`,
      '--pid-file=',
      '--log-dhcp',
      `--dhcp-range=${range}`,
    ],
    ...more,
  );
  await eventually('dnsmasq serves', () => server.output.includes('DHCP, IP range'));
  return server;
}

async function startDaemon(host: NetworkHost, directory: string): Promise<BackgroundProgram> {
  // Debian's makes no directory for its socket.
  await host.run('mkdir', '-p', '/run/cni');
  const daemon = host.start(`${directory}/dhcp`, 'daemon');
  await eventually(
    'the daemon listens',
    async () => (await host.try(['test', '-S', '/run/cni/dhcp.sock'])).exitCode === 0,
  );
  return daemon;
}

async function makeBridge(host: NetworkHost): Promise<void> {
  await host.ip('link add br0 type bridge', 'addr add 10.77.0.1/24 dev br0', 'link set br0 up');
}

function network(ipam: object = {}): PluginConfig {
  return { type: 'bridge', bridge: 'br0', ipam: { type: 'dhcp', ...ipam } };
}

const RANGE = '10.77.0.50,10.77.0.99,255.255.255.0,2m';
const ROUTES = '--dhcp-option=121,10.9.0.0/16,10.77.0.2,0.0.0.0/0,10.77.0.1';

test.each(PLUGIN_SETS)('the plugins of $of get addresses and routes, and give back', ({ of, directory }) =>
  withMachines(async ({ host, container }) => {
    await makeBridge(host);
    await using server = await startServer(
      host,
      RANGE,
      ROUTES,
      '--dhcp-option-force=58,2',
      '--dhcp-option=6,10.77.0.3',
    );
    await using _daemon = await startDaemon(host, directory);
    const provide = [
      { option: 'host-name', value: 'from-configuration' },
      { option: 'vendor-class-identifier', fromArg: 'VENDOR' },
    ];
    const chain = new CniChain(
      host,
      container,
      directory,
      [network({ provide, request: [{ option: '121' }] })],
      { args: 'IgnoreUnknown=1;VENDOR=seen' },
    );
    const { ips = [] } = await chain.add();
    expect(ips[0]?.address).toMatch(/^10\.77\.0\.\d\d\/24$/);
    if (of === 'rkt') await chain.check();
    const routes = await container.run('ip', 'route');
    expect(routes).toContain('10.9.0.0/16 via 10.77.0.2 dev eth0');
    expect(routes).toContain('default via 10.77.0.1 dev eth0');
    expect(server.output).toContain('vendor class: seen');
    const leases = () => host.run('cat', LEASES);
    expect(await leases()).toContain(' from-configuration ');
    expect(await leases()).toContain(`${(ips[0]?.address ?? '').replace('/24', '')} `);
    await chain.del();
    // Debian's sends nothing that dnsmasq takes for a release.
    if (of === 'rkt') await eventually('the lease is given back', async () => (await leases()) === '');
    await chain.del();
  }),
);

test('a macvlan asks on its parent’s network; dns comes with the address; what is asked for may take the place of the standard', () =>
  withMachines(async ({ outside, host, container }) => {
    await outside.ip(
      'link add br0 type bridge',
      'link set eth0 master br0',
      'addr add 10.77.0.1/24 dev br0',
      'link set br0 up',
    );
    const options = [
      '--dhcp-option=3,10.77.0.1',
      '--dhcp-option=6,10.77.0.3',
      '--dhcp-option=15,example.com',
    ];
    await using _server = await startServer(outside, RANGE, ...options);
    await using _daemon = await startDaemon(host, OURS);
    const macvlan = (ipam: object) => ({
      type: 'macvlan',
      master: 'up0',
      ipam: { type: 'dhcp', priority: 77, ...ipam },
    });
    const chain = new CniChain(host, container, OURS, [macvlan({})]);
    expect(await chain.add()).toMatchObject({
      ips: [{ gateway: '10.77.0.1' }],
      dns: { nameservers: ['10.77.0.3'], domain: 'example.com' },
    });
    expect(await container.run('ip', 'route')).toMatch(/default via 10\.77\.0\.1 dev eth0 .*metric 77/);
    await chain.del();
    const only = { request: [{ option: 'subnet-mask', skipDefault: true }] };
    const bare = await new CniChain(host, container, OURS, [macvlan(only)]).add();
    expect(bare).toMatchObject({ dns: {} });
    expect(bare.ips).toEqual([{ interface: 0, address: expect.stringMatching(/\/24$/) }]);
  }));

test('leases are made longer until their server wants the address back, which is used no more then', () =>
  withMachines(async ({ host, container }) => {
    await makeBridge(host);
    await using daemon = await startDaemon(host, OURS);
    await using server = host.start(
      'env',
      '-C',
      rootDir,
      process.execPath,
      '--import',
      'tsx',
      SERVER,
      '10.77.0.50',
      '10.77.0.255',
      '/run/wanted-back',
    );
    await eventually('the server serves', () => server.output.includes('serves'));
    const chain = new CniChain(host, container, OURS, [network()]);
    expect((await chain.add()).ips).toEqual([{ interface: 2, address: '10.77.0.50/24' }]);
    // The first request, and two for more time.
    await eventually('the lease is made longer', () => server.output.split('message 3').length > 3);
    await chain.check();
    await host.run('touch', '/run/wanted-back');
    await eventually('the daemon says so', () =>
      daemon.output.includes('the dhcp server refuses an address'),
    );
    expect(await container.run('ip', 'link', 'show', 'eth0')).toContain('state DOWN');
    expect(await chain.refusal(() => chain.check())).toContain(
      'there is no lease for tested/container1/eth0',
    );
    await chain.del();
  }));

test('without a daemon, a server, or sense in the configuration there is no address, and nothing is left', () =>
  withMachines(async ({ host, container }) => {
    await makeBridge(host);
    const refused = async (ipam: object = {}) => {
      const chain = new CniChain(host, container, OURS, [network(ipam)]);
      const message = await chain.refusal(() => chain.add());
      expect(await container.run('ip', '-br', 'link')).not.toContain('eth0');
      await chain.del();
      return message;
    };
    const chain = new CniChain(host, container, OURS, [{ ...network(), cniVersion: '1.1.0' }]);
    expect(await chain.refusal(() => chain.status())).toContain('"code":50');
    expect(await refused()).toContain(
      "no dhcp daemon listens at '/run/cni/dhcp.sock': start one by 'dhcp daemon'",
    );
    await using _daemon = host.start(
      `${OURS}/dhcp`,
      'daemon',
      '-socketpath',
      '/run/d/s',
      '-pidfile',
      '/run/pid',
      '-timeout',
      '1s',
    );
    await eventually(
      'the daemon listens',
      async () => (await host.try(['test', '-s', '/run/pid'])).exitCode === 0,
    );
    const daemonSocketPath = '/run/d/s';
    expect(await refused({ daemonSocketPath })).toContain(
      'no dhcp server has answered on interface eth0 within 1 s',
    );
    expect(await refused({ daemonSocketPath, provide: [{ option: 'shoe-size', value: '45' }] })).toContain(
      "option 'shoe-size' is no option of dhcp",
    );
    expect(await refused({ daemonSocketPath, provide: [{ option: '12' }] })).toContain('has no value');
    await new CniChain(host, container, OURS, [
      { ...network({ daemonSocketPath }), cniVersion: '1.1.0' },
    ]).status();
    const second = await host.try([`${OURS}/dhcp`, 'daemon', '-socketpath=/run/d/s']);
    expect(second.exitCode).toBe(1);
    expect((await host.try([`${OURS}/dhcp`, 'daemon', '-timeout', 'soon'])).exitCode).toBe(1);
    expect((await host.try([`${OURS}/dhcp`, 'daemon', '-nonsense'])).exitCode).toBe(1);
  }));
