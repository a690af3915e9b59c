import { describe, expect, test } from 'vitest';
import { CniChain, PLUGIN_SETS, type PluginConfig } from '../support/cni-chain.ts';
import type { Endpoint } from '../support/network-agent.ts';
import type { NetworkHost } from '../support/network-host.ts';
import { withMachines } from '../support/network-machines.ts';

// The plugins that change what others have made.

const BRIDGE: PluginConfig = {
  type: 'bridge',
  bridge: 'cni0',
  isDefaultGateway: true,
  ipam: { type: 'host-local', ranges: [[{ subnet: '10.88.7.0/24' }], [{ subnet: 'fd00:88::/64' }]] },
};
const SERVER: Endpoint = { protocol: 'tcp', address: '10.88.7.2', port: 80 };
const TABLE = PLUGIN_SETS.map((set) => ({ ...set }));
const OURS = PLUGIN_SETS[0].directory;

interface IpLink {
  readonly mtu: number;
}

async function links(host: NetworkHost, ...argv: readonly string[]): Promise<IpLink[]> {
  return JSON.parse((await host.run(...argv)) || '[]') as IpLink[];
}

function linkOf(host: NetworkHost, name: string): Promise<IpLink | undefined> {
  return links(host, 'ip', '-j', '-d', 'link', 'show', name).then(([link]) => link);
}

describe.each(TABLE)('bandwidth of $of', ({ directory }) => {
  const limits = {
    ingressRate: 8_000_000,
    ingressBurst: 800_000,
    egressRate: 4_000_000,
    egressBurst: 400_000,
  };
  const BYTES = 600_000;

  test.each([
    {
      by: 'the configuration, whatever the runtime says',
      config: { ...limits, runtimeConfig: { bandwidth: { ingressRate: 8e9, ingressBurst: 8e8 } } },
    },
    { by: 'the runtime', config: { runtimeConfig: { bandwidth: limits } } },
  ])('holds to the rates of $by', ({ config }) =>
    withMachines(async ({ host, container }) => {
      const chain = new CniChain(host, container, directory, [BRIDGE, { type: 'bandwidth', ...config }]);
      const { interfaces = [] } = await chain.add();
      await chain.check();
      const relay = interfaces.find(({ name }) => name.startsWith('bwp'));
      expect(await linkOf(host, relay?.name ?? '')).toMatchObject({ linkinfo: { info_kind: 'ifb' } });
      await container.ask({ do: 'serve', ...SERVER });
      // No faster than the rate for what is beyond the burst: 500 ms of 8 Mbit/s, 1100 ms of 4 Mbit/s.
      expect(await timed(() => host.ask({ do: 'ask', ...SERVER, send: BYTES }))).toBeGreaterThan(480);
      expect(await timed(() => host.ask({ do: 'ask', ...SERVER, receive: BYTES }))).toBeGreaterThan(1050);
      await chain.del();
      expect(await links(host, 'ip', '-j', 'link', 'show', 'type', 'ifb')).toEqual([]);
      await chain.del();
    }),
  );

  test('limits nothing where nothing is asked for', () =>
    withMachines(async ({ host, container }) => {
      const chain = new CniChain(host, container, directory, [BRIDGE, { type: 'bandwidth' }]);
      await chain.add();
      expect(await host.run('tc', 'qdisc')).not.toMatch(/tbf|ingress/);
      expect(await links(host, 'ip', '-j', 'link', 'show', 'type', 'ifb')).toEqual([]);
    }));
});

async function timed(action: () => Promise<string>): Promise<number> {
  const began = performance.now();
  expect(await action()).toBe('10.88.7.1');
  return performance.now() - began;
}

test('bandwidth of rkt: CHECK finds another rate, GC takes away what is nobody’s, and half of a limit is refused', () =>
  withMachines(async ({ host, container }) => {
    const limited = { type: 'bandwidth', egressRate: 4_000_000, egressBurst: 400_000 };
    const chain = new CniChain(host, container, OURS, [BRIDGE, limited]);
    const { interfaces = [] } = await chain.add();
    const relay = interfaces.at(-1)?.name ?? '';
    await chain.collect('bandwidth', [{ containerID: 'container1', ifname: 'eth0' }]);
    await host.run(
      'tc',
      'qdisc',
      'replace',
      'dev',
      relay,
      'root',
      'tbf',
      'rate',
      '1mbit',
      'burst',
      '10k',
      'latency',
      '25ms',
    );
    expect(await chain.refusal(() => chain.check())).toContain(
      'has a limit of 1000000 bits a second, not 4000000',
    );
    await chain.collect('bandwidth', []);
    expect(await links(host, 'ip', '-j', 'link', 'show', 'type', 'ifb')).toEqual([]);
    const half = new CniChain(host, container, OURS, [
      { type: 'bandwidth', ingressRate: 8000, prevResult: {} },
    ]);
    expect(await half.refusal(() => half.add())).toContain('ingressRate and ingressBurst go together');
    const subnets = new CniChain(host, container, OURS, [
      { ...limited, shapedSubnets: ['10.0.0.0/8'], prevResult: {} },
    ]);
    expect(await subnets.refusal(() => subnets.add())).toContain('does not support shapedSubnets');
  }));

describe.each(TABLE)('firewall of $of', ({ of, directory }) => {
  const firewall = (more: object = {}): PluginConfig => ({ type: 'firewall', backend: 'iptables', ...more });

  test('lets packets of containers through a host that forwards none', () =>
    withMachines(async ({ outside, host, container }) => {
      for (const program of ['iptables', 'ip6tables']) await host.run(program, '-P', 'FORWARD', 'DROP');
      await outside.ip('route add 10.88.7.0/24 via 192.0.2.1', 'route add fd00:88::/64 via 2001:db8::1');
      const server: Endpoint = { protocol: 'tcp', address: '::', port: 81 };
      await outside.ask({ do: 'serve', ...server });
      const closed = new CniChain(host, container, directory, [BRIDGE]);
      await closed.add();
      expect(await container.ask({ do: 'ask', ...server, address: '192.0.2.2', briefly: true })).toBe(
        'silence',
      );
      await closed.del();
      const chain = new CniChain(host, container, directory, [BRIDGE, firewall()]);
      const { ips = [] } = await chain.add();
      await chain.check();
      const own = ips.map(({ address }) => address.replace(/\/.*/, ''));
      expect(await container.ask({ do: 'ask', ...server, address: '192.0.2.2' })).toBe(own[0]);
      expect(await container.ask({ do: 'ask', ...server, address: '2001:db8::2' })).toBe(own[1]);
      // An administrator's own rules come first.
      await host.run('iptables', '-A', 'CNI-ADMIN', '-d', '192.0.2.2', '-j', 'DROP');
      expect(await container.ask({ do: 'ask', ...server, address: '192.0.2.2', briefly: true })).toBe(
        'silence',
      );
      await chain.del();
      expect(await host.run('iptables-save')).not.toContain(own[0]);
      expect(await host.run('ip6tables-save')).not.toContain(own[1]);
      await chain.del();
    }));

  test('parts the containers of different bridges with same-bridge', () =>
    withMachines(async ({ outside, host, container }) => {
      const policy = firewall({ ingressPolicy: 'same-bridge' });
      const second = {
        ...BRIDGE,
        bridge: 'cni1',
        ipam: { type: 'host-local', ranges: [[{ subnet: '10.88.8.0/24' }]] },
      };
      await container.ask({ do: 'serve', protocol: 'tcp', address: '0.0.0.0', port: 80 });
      const other = { containerId: 'container2', ifName: 'eth1' };
      await new CniChain(host, container, directory, [BRIDGE, policy]).add();
      const open = new CniChain(
        host,
        outside,
        directory,
        [{ ...second, isDefaultGateway: true }],
        other,
        'second',
      );
      await open.add();
      expect(await outside.ask({ do: 'ask', ...SERVER })).toBe('10.88.8.2');
      await open.del();
      const parted = new CniChain(host, outside, directory, [second, policy], other, 'second');
      await parted.add();
      expect(await outside.ask({ do: 'ask', ...SERVER, from: '10.88.8.3', briefly: true })).toBe('silence');
      expect(await host.ask({ do: 'ask', ...SERVER })).toBe('10.88.7.1');
      await parted.del();
      if (of === 'rkt') expect(await host.run('iptables-save')).not.toContain('cni1');
    }));
});

test('firewall of rkt: CHECK, GC, and what it refuses', () =>
  withMachines(async ({ host, container }) => {
    const plugins = [BRIDGE, { type: 'firewall', iptablesAdminChainName: 'MINE' }];
    const chain = new CniChain(host, container, OURS, plugins);
    await chain.add();
    expect(await host.run('iptables-save')).toMatch(/-A CNI-FORWARD .*-j MINE/);
    await chain.collect('firewall', [{ containerID: 'container1', ifname: 'eth0' }]);
    await chain.check();
    await chain.collect('firewall', []);
    expect(await host.run('iptables-save')).not.toContain('10.88.7.2');
    expect(await chain.refusal(() => chain.check())).toContain(
      'no rule lets packets of 10.88.7.2/32 through',
    );
    for (const [more, message] of [
      [{ backend: 'firewalld' }, "backend 'firewalld' is not supported"],
      [{ ingressPolicy: 'closed' }, "config.ingressPolicy is 'closed', not one of open, same-bridge"],
      [{ ingressPolicy: 'same-bridge' }, 'needs a network of the type bridge'],
      [{ iptablesAdminChainName: 'A B' }, 'is no name of a chain'],
    ] as const) {
      const prevResult = { ips: [{ address: '10.88.7.2/24' }] };
      const refused = new CniChain(host, container, OURS, [{ type: 'firewall', prevResult, ...more }]);
      expect(await refused.refusal(() => refused.add())).toContain(message);
    }
  }));

describe.each(TABLE)('tuning of $of', ({ of, directory }) => {
  test('changes settings and the interface, and DEL puts the interface back', () =>
    withMachines(async ({ host, container }) => {
      const sysctl = {
        'net.core.somaxconn': '321',
        'net.ipv4.conf.eth0.arp_filter': '1',
        'net/ipv4/ip_default_ttl': '33',
      };
      const link = { mtu: 1400, promisc: true, allmulti: true, mac: 'c2:11:22:33:44:55' };
      // Debian's is older than this one.
      const queue = of === 'rkt' ? { txQLen: 77 } : {};
      const tuning = { type: 'tuning', sysctl, ...link, ...queue, dataDir: '/run/tuning' };
      const chain = new CniChain(host, container, directory, [BRIDGE, tuning]);
      const made = new CniChain(host, container, directory, [BRIDGE]);
      const before = await made.add().then(() => linkOf(container, 'eth0'));
      await made.del();
      const { interfaces = [] } = await chain.add();
      await chain.check();
      expect(interfaces.find(({ name }) => name === 'eth0')?.mac).toBe('c2:11:22:33:44:55');
      expect(await linkOf(container, 'eth0')).toMatchObject({
        mtu: 1400,
        promiscuity: 1,
        allmulti: 1,
        address: 'c2:11:22:33:44:55',
        ...(of === 'rkt' ? { txqlen: 77 } : {}),
      });
      for (const [path, value] of [
        ['core/somaxconn', '321'],
        ['ipv4/conf/eth0/arp_filter', '1'],
        ['ipv4/ip_default_ttl', '33'],
      ] as const)
        expect(await container.run('cat', `/proc/sys/net/${path}`)).toBe(value);
      expect(await host.run('cat', '/proc/sys/net/core/somaxconn')).not.toBe('321');
      expect(await container.run('ip', 'route')).toContain('default via 10.88.7.1');
      await container.ip('link set eth0 mtu 1300');
      expect(await chain.refusal(() => chain.check())).not.toBe('none');
      // The bridge's own DEL would take the interface away.
      const [, alone] = chain.plugins;
      await new CniChain(
        host,
        container,
        directory,
        alone === undefined ? [] : [{ ...alone, prevResult: {} }],
      ).del();
      expect(await linkOf(container, 'eth0')).toMatchObject({
        mtu: before?.mtu,
        promiscuity: 0,
        allmulti: 0,
      });
      expect(await host.run('find', '/run/tuning', '-type', 'f')).toBe('');
    }));
});

test('tuning of rkt: the interface’s name for IFNAME, the runtime’s hardware address, GC, and what it refuses', () =>
  withMachines(async ({ host, container }) => {
    const tuning = {
      type: 'tuning',
      sysctl: { 'net.ipv4.conf.IFNAME.arp_filter': '1' },
      runtimeConfig: { mac: 'c2:11:22:33:44:66' },
    };
    const chain = new CniChain(host, container, OURS, [BRIDGE, tuning]);
    await chain.add();
    expect(await container.run('cat', '/proc/sys/net/ipv4/conf/eth0/arp_filter')).toBe('1');
    expect(await linkOf(container, 'eth0')).toMatchObject({ address: 'c2:11:22:33:44:66' });
    await container.run('sysctl', '-q', 'net.ipv4.conf.eth0.arp_filter=0');
    expect(await chain.refusal(() => chain.check())).toContain("arp_filter' is '0', not '1'");
    const kept = () => host.run('find', '/run/cni/tuning', '-type', 'f');
    await chain.collect('tuning', [{ containerID: 'container1', ifname: 'eth0' }]);
    expect(await kept()).toBe('/run/cni/tuning/container1_eth0.json');
    await chain.collect('tuning', []);
    expect(await kept()).toBe('');
    for (const [more, message] of [
      [{ sysctl: { 'kernel.hostname': 'x' } }, "sysctl 'kernel.hostname' is none of the network's"],
      [{ sysctl: { 'net/../kernel/hostname': 'x' } }, 'is none of the network'],
      [{ sysctl: { 'net.no.such': '1' } }, "sysctl 'net.no.such' cannot be set to '1'"],
      [{ mac: 'no' }, "'no' is no mac address"],
      [{ dataDir: 'here' }, "dataDir 'here' is no absolute path"],
    ] as const) {
      const refused = new CniChain(host, container, OURS, [{ type: 'tuning', prevResult: {}, ...more }]);
      expect(await refused.refusal(() => refused.add())).toContain(message);
    }
  }));

describe.each(TABLE)('sbr of $of', ({ of, directory }) => {
  test('sends what an interface’s address sends by that interface', () =>
    withMachines(async ({ outside, host, container }) => {
      const second = {
        type: 'bridge',
        bridge: 'cni1',
        isGateway: true,
        ipam: {
          type: 'host-local',
          ranges: [[{ subnet: '10.99.1.0/24' }], [{ subnet: 'fd00:99::/64' }]],
          routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }],
        },
      };
      await outside.ip('route add 10.99.1.0/24 via 192.0.2.1', 'route add 10.88.7.0/24 via 192.0.2.1');
      await new CniChain(host, container, directory, [BRIDGE]).add();
      // Two default routes of one metric cannot be: the second network's is for its own addresses alone.
      const chain = new CniChain(
        host,
        container,
        directory,
        [{ ...second, ipam: { ...second.ipam, routes: [] } }, { type: 'sbr' }],
        { ifName: 'net1' },
        'second',
      );
      await chain.add();
      // Debian's bridge misses the routes that its sbr has moved.
      if (of === 'rkt') await chain.check();
      expect(await container.run('ip', 'rule')).toContain('from 10.99.1.2 lookup 100');
      expect(await container.run('ip', '-6', 'rule')).toMatch(/from fd00:99::2 lookup 101/);
      expect((await container.run('ip', 'route', 'show', 'table', '100')).replace('proto static ', '')).toBe(
        [
          'default via 10.99.1.1 dev net1 ',
          '10.99.1.0/24 dev net1 proto kernel scope link src 10.99.1.2 ',
        ].join('\n'),
      );
      expect(await container.run('ip', '-6', 'route', 'show', 'table', '101')).toMatch(
        /default via fd00:99::1 dev net1/,
      );
      expect(await container.run('ip', 'route')).not.toContain('net1');
      expect(await container.run('ip', 'route', 'get', '192.0.2.2', 'from', '10.99.1.2')).toContain(
        'dev net1',
      );
      expect(await container.run('ip', 'route', 'get', '192.0.2.2')).toContain('dev eth0');
      const server: Endpoint = { protocol: 'tcp', address: '0.0.0.0', port: 82 };
      await container.ask({ do: 'serve', ...server });
      expect(await outside.ask({ do: 'ask', ...server, address: '10.99.1.2' })).toBe('192.0.2.2');
      await chain.del();
      expect(await container.run('ip', 'rule')).not.toContain('10.99.1.2');
      expect(await container.run('ip', '-6', 'rule')).not.toContain('fd00:99');
    }));
});

test('sbr of rkt: one table that is asked for; CHECK misses its rule', () =>
  withMachines(async ({ host, container }) => {
    const chain = new CniChain(host, container, OURS, [BRIDGE, { type: 'sbr', table: 1234 }]);
    await chain.add();
    expect(await container.run('ip', 'route', 'show', 'table', '1234')).toContain(
      'default via 10.88.7.1 dev eth0',
    );
    expect(await container.run('ip', '-6', 'route', 'show', 'table', '1234')).toContain(
      'default via fd00:88::1 dev eth0',
    );
    await container.ip('rule del from 10.88.7.2');
    expect(await chain.refusal(() => chain.check())).toContain('no rule leads packets from 10.88.7.2');
    const refused = new CniChain(host, container, OURS, [{ type: 'sbr', table: 254, prevResult: {} }]);
    expect(await refused.refusal(() => refused.add())).toContain("table 254 is one of the kernel's own");
  }));
