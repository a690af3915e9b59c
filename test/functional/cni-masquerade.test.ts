import { expect, test } from 'vitest';
import { CniChain, PLUGIN_SETS, type PluginConfig } from '../support/cni-chain.ts';
import type { NetworkHost } from '../support/network-host.ts';
import { withMachines } from '../support/network-machines.ts';

const [OURS, DEBIANS] = PLUGIN_SETS;
const IPAM = { type: 'host-local', ranges: [[{ subnet: '10.88.7.0/24' }], [{ subnet: 'fd00:88::/64' }]] };
const ROUTES = [{ dst: '0.0.0.0/0' }, { dst: '::/0' }];
const NETWORKS: readonly PluginConfig[] = [
  { type: 'bridge', bridge: 'cni0', isDefaultGateway: true, ipMasq: true, ipam: IPAM },
  { type: 'ptp', ipMasq: true, ipam: { ...IPAM, routes: ROUTES } },
];
const SERVER = { protocol: 'tcp', address: '::', port: 80 } as const;

const table = NETWORKS.flatMap((network) => [
  {
    of: OURS.of,
    type: network.type,
    backend: 'nftables',
    directory: OURS.directory,
    network: { ...network, ipMasqBackend: 'nftables' },
  },
  {
    of: OURS.of,
    type: network.type,
    backend: 'iptables',
    directory: OURS.directory,
    network: { ...network, ipMasqBackend: 'iptables' },
  },
  { of: DEBIANS.of, type: network.type, backend: 'iptables', directory: DEBIANS.directory, network },
]);

async function rules(host: NetworkHost): Promise<string> {
  const saved = [await host.run('iptables-save'), await host.run('ip6tables-save')].join('\n').split('\n');
  return [
    ...saved.filter((line) => line.startsWith('-A')),
    await host.run('nft', 'list', 'ruleset', 'inet'),
  ].join('\n');
}

test.each(table)('$type of $of masquerades by $backend', ({ of, directory, network }) =>
  withMachines(async ({ outside, host, container }) => {
    await outside.ask({ do: 'serve', ...SERVER });
    await host.ask({ do: 'serve', ...SERVER });
    const before = await rules(host);
    const without = new CniChain(host, container, directory, [{ ...network, ipMasq: false }]);
    await without.add();
    const ask = (address: string) => container.ask({ do: 'ask', ...SERVER, address });
    // Nobody outside knows the way to the container.
    expect(await container.ask({ do: 'ask', ...SERVER, address: '192.0.2.2', briefly: true })).toBe(
      'silence',
    );
    await without.del();
    expect(await rules(host)).toBe(before);
    const chain = new CniChain(host, container, directory, [network]);
    const { ips = [] } = await chain.add();
    const own = ips.map(({ address }) => address.replace(/\/.*/, ''));
    expect(await ask('192.0.2.2')).toBe('192.0.2.1');
    expect(await ask('2001:db8::2')).toBe('2001:db8::1');
    // In the network itself everybody is who they are.
    expect(await ask('10.88.7.1')).toBe(own[0]);
    expect(await ask('fd00:88::1')).toBe(own[1]);
    await chain.del();
    expect(await rules(host)).toBe(before);
    await chain.del();
    if (of !== 'rkt') return;
    await chain.add();
    await chain.collect(network.type, [{ containerID: 'container1', ifname: 'eth0' }]);
    expect(await ask('192.0.2.2')).toBe('192.0.2.1');
    await chain.collect(network.type, []);
    expect(await rules(host)).toBe(before);
  }),
);
