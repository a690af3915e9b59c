import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { InterfacePlan, NetworkPlan } from '../../src/abi/network-plan.ts';
import { compileTestProgram } from '../support/native-program.ts';
import { NetworkHost } from '../support/network-host.ts';
import { guestSuite } from './guest-suite.ts';
import { appPlan, bootPlan, shell } from './pod-fixture.ts';
import type { ScriptedHost } from './scripted-host.ts';

// Both halves side by side: a namespace as plugins leave it, the plan that is read from there, and what PID 1 makes of the plan in
// another namespace. They look the same.

const suite = guestSuite();
const [FIRST, SECOND] = ['02:00:00:00:00:01', '02:00:00:00:00:02'];

let machines: { readonly host: NetworkHost; readonly container: NetworkHost };
beforeEach(async () => {
  const [host, container] = await Promise.all([NetworkHost.start(), NetworkHost.start()]);
  machines = { host, container };
});
afterEach(async () => {
  for (const machine of Object.values(machines)) await machine[Symbol.asyncDispose]();
});

/** A cable from the host to the namespace of a process, and the host's end up. */
async function connect(name: string, mac: string, netns: string, own = `to-${name}`): Promise<void> {
  const pid = netns.split('/')[2];
  await machines.host.ip(
    `link add ${own} type veth peer name ${name} address ${mac} netns ${pid}`,
    `link set ${own} up`,
  );
}

interface Snapshot {
  readonly plan: NetworkPlan;
  readonly links: readonly string[];
  readonly remarks: readonly string[];
}

async function snapshot(): Promise<Snapshot> {
  const program = await compileTestProgram('network-snapshot');
  return JSON.parse(await machines.container.run(program)) as Snapshot;
}

const LOOKS = [
  ['addr'],
  ['-4', 'route', 'show', 'table', 'all'],
  ['-6', 'route', 'show', 'table', 'all'],
  ['-4', 'rule'],
  ['-6', 'rule'],
  ['neigh', 'show', 'nud', 'permanent'],
  ['neigh', 'show', 'proxy'],
];

/** Line by line; without indexes of interfaces, and what IPv6 does by itself a moment later. */
async function look(run: (...argv: string[]) => Promise<string>): Promise<string[]> {
  const shown: string[] = [];
  for (const words of LOOKS) shown.push(...(await run('ip', '-d', ...words)).split('\n'));
  return shown
    .filter((line) => !/^(multicast|anycast|local) |link-netns|alias/.test(line.trim()))
    .map((line) => line.replace(/^\d+: |@if\d+|link-netnsid \d+|nodad| state \w+|numtxqueues.*$/g, '').trim())
    .filter((line) => line !== '')
    .sort();
}

/** Of PID 1's namespace, once its app runs. */
async function made(host: ScriptedHost, plan: NetworkPlan): Promise<string[]> {
  await host.boot(bootPlan([appPlan('app', suite.root(), shell('sleep 1000'))], { network: plan }));
  await host.next('started', 'app');
  return look((...argv) => machines.host.run('nsenter', `--net=${host.netns}`, ...argv));
}

async function finish(host: ScriptedHost): Promise<void> {
  host.send({ type: 'stop' });
  await host.finish();
}

/** As plugins may leave it: everything that the plan knows of. */
const FURNISH = `
ip link set eth0 mtu 1400 txqueuelen 77 promisc on allmulticast on up
ip link set eth1 mtu 9000 arp off up
ip addr add 10.7.0.2/24 brd + dev eth0
ip addr add 10.7.0.3/24 dev eth0
ip addr add 10.8.0.2 peer 10.8.0.1/32 dev eth1
ip addr add 10.9.0.2/16 dev eth1 noprefixroute
ip addr add fd07::2/64 dev eth0 nodad
ip addr add fd07::3/64 dev eth0 nodad preferred_lft 0
ip addr add 192.0.2.9/32 dev lo
ip route add default via 10.7.0.1 metric 77 mtu 1300 advmss 900 initcwnd 20
ip route add 198.51.100.0/24 via inet6 fd07::1 dev eth0
ip route add 203.0.113.0/24 via 10.99.0.1 dev eth0 onlink src 10.7.0.3
ip route add 10.50.0.0/16 nexthop via 10.7.0.1 weight 3 nexthop via 10.8.0.1 weight 2
ip route add blackhole 10.66.0.0/16
ip route add prohibit 10.67.0.0/16 metric 5
ip route add 10.68.0.0/16 dev eth1 tos 0x10 table 1000
ip route del 10.7.0.0/24 dev eth0
ip route add 10.7.0.0/24 dev eth0 table 100 src 10.7.0.2
ip route add default via 10.7.0.1 table 100
ip -6 route add default via fd07::1 dev eth0 metric 88 mtu 1300
ip -6 route add unreachable fd66::/64
ip -6 route add fd50::/64 nexthop via fd07::1 dev eth0 weight 2 nexthop via fd07::9 dev eth0
ip rule add from 10.7.0.2 lookup 100 priority 500
ip rule add not fwmark 5/0xf lookup 100 priority 501
ip rule add iif eth1 to 10.0.0.0/8 tos 0x10 lookup 1000 priority 502
ip rule add ipproto tcp dport 80-90 sport 5 lookup 1000 priority 503
ip rule add lookup main suppress_prefixlength 0 priority 504
ip rule add uidrange 5-9 unreachable priority 505
ip rule add goto 505 oif eth0 priority 499
ip -6 rule add to fd99::/64 lookup 100 priority 506
ip neigh add 10.7.0.77 lladdr 02:aa:bb:cc:dd:ee dev eth0 nud permanent
ip neigh add fd07::77 lladdr 02:aa:bb:cc:dd:ee dev eth0 nud permanent
ip neigh add proxy 10.7.0.78 dev eth0
`;

describe('the namespace of a pod and the one that PID 1 makes', () => {
  test('have the same addresses, routes, rules and neighbours', async () => {
    const { container } = machines;
    await connect('eth0', FIRST, container.netns);
    await connect('eth1', SECOND, container.netns);
    await container.run('sh', '-e', '-c', FURNISH);
    const { plan, links, remarks } = await snapshot();
    expect({ links, remarks }).toEqual({ links: ['eth0', 'eth1'], remarks: [] });
    const expected = await look((...argv) => container.run(...argv));
    for (const part of [
      '10.7.0.3/24',
      'initcwnd 20',
      'weight 3',
      'NOARP',
      'deprecated',
      'suppress_prefixlength 0',
      'proxy',
    ])
      expect(expected.join('\n')).toContain(part);

    await using host = suite.start();
    await host.next('hello');
    // In the other order, and with each other's names.
    await connect('eth0', SECOND, host.netns, 'guest-1');
    await connect('eth1', FIRST, host.netns, 'guest-0');
    expect(await made(host, plan)).toEqual(expected);
    expect(host.messages.filter(({ type }) => type === 'warning')).toEqual([]);
    await finish(host);
  });

  test('have the settings that were changed; one that the kernel lacks is told of', async () => {
    const { container } = machines;
    await connect('eth0', FIRST, container.netns);
    const changes = [
      ['ipv4/ip_forward', '1'],
      ['core/somaxconn', '777'],
      ['ipv4/conf/eth0/arp_notify', '1'],
      ['ipv6/conf/eth0/disable_ipv6', '1'],
      ['ipv4/neigh/eth0/gc_stale_time', '33'],
    ] as const;
    for (const [name, value] of changes)
      await container.run('sh', '-c', `echo ${value} > /proc/sys/net/${name}`);
    const { plan } = await snapshot();
    expect(plan.sysctls).toEqual(expect.arrayContaining(changes.map(([name, value]) => ({ name, value }))));
    expect(plan.sysctls.map(({ name }) => name)).not.toContain('core/rmem_max');

    await using host = suite.start();
    await host.next('hello');
    await connect('net', FIRST, host.netns, 'guest-0');
    const lacking = { name: 'ipv4/of_another_kernel', value: '1' };
    await made(host, { ...plan, sysctls: [...plan.sysctls, lacking] });
    const names = plan.sysctls.map(({ name }) => `/proc/sys/net/${name}`);
    const values = (run: NetworkHost['run']) => run('cat', ...names);
    const inGuest = await values((...argv) => machines.host.run('nsenter', `--net=${host.netns}`, ...argv));
    expect(inGuest).toBe(await values((...argv) => container.run(...argv)));
    expect(host.messages.filter(({ type }) => type === 'warning')).toEqual([
      { type: 'warning', message: expect.stringMatching(/^net\.ipv4\.of_another_kernel is not 1: ENOENT/) },
    ]);
    await finish(host);
  });

  test('differ in what no machine has', async () => {
    const { container } = machines;
    await connect('eth0', FIRST, container.netns);
    await container.run('sh', '-e', '-c', 'ip link add br0 type bridge; ip link set eth0 master br0 up');
    await container.run('ip', 'tuntap', 'add', 'tun0', 'mode', 'tun');
    const { plan, links, remarks } = await snapshot();
    expect(links).toEqual(['br0']);
    expect(plan.interfaces.map(({ name }) => name)).toEqual(['br0']);
    expect([...remarks].sort()).toEqual([
      'the machine has no interface eth0: it is a port of another',
      'the machine has no interface tun0: it is no ethernet (tun)',
    ]);
  });
});

describe('a plan that cannot be carried out ends the pod with the reason', () => {
  const eth0: InterfacePlan = {
    ...{ name: 'eth0', mac: FIRST, mtu: null, queueLength: null, addresses: [] },
    ...{ up: true, arp: true, promiscuous: false, allMulticast: false },
  };
  const network: NetworkPlan = { interfaces: [eth0], routes: [], rules: [], neighbours: [], sysctls: [] };
  const anyRoute = {
    ...{ table: 254, metric: 0, type: 'unicast', scope: 0, protocol: 3, tos: 0, source: null, metrics: [] },
    ...{ destination: '0.0.0.0/0', hops: [] },
  } as const;
  const hop = { interface: 'eth9', gateway: null, onLink: false, weight: 1 };

  test.each([
    [
      'a route to an interface that is not there',
      { routes: [{ ...anyRoute, hops: [hop] }] },
      'no interface eth9',
    ],
    [
      'an address without its length',
      { routes: [{ ...anyRoute, destination: '10.0.0.1' }] },
      '10.0.0.1 is no ADDRESS/PREFIX',
    ],
    [
      'a neighbour of another interface',
      { neighbours: [{ interface: 'eth9', address: '10.0.0.1', mac: null }] },
      'no interface eth9',
    ],
  ])('%s', async (_, change, message) => {
    await using host = suite.start();
    await host.next('hello');
    await connect('eth0', FIRST, host.netns);
    const plan = { ...network, ...change } as NetworkPlan;
    await host.boot(bootPlan([appPlan('app', suite.root(), shell('true'))], { network: plan }));
    expect((await host.next('fatal')).message).toBe(message);
  });
});
