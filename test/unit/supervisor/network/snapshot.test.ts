import { describe, expect, test } from 'vitest';
import { AF_INET, AF_INET6 } from '../../../../src/native/netlink/ip.ts';
import type { Link } from '../../../../src/native/netlink/links.ts';
import type { Route } from '../../../../src/native/netlink/routes.ts';
import type { Rule } from '../../../../src/native/netlink/rules.ts';
import { planRoutes, planRules } from '../../../../src/supervisor/network/routing-plan.ts';
import { chooseLinks } from '../../../../src/supervisor/network/snapshot.ts';

const link = (index: number, name: string, change: Partial<Link> = {}): Link => ({
  ...{ index, name, up: true, connected: true, loopback: false, mtu: 1500, mac: '02:00:00:00:00:01' },
  ...{ kind: 'veth', master: undefined, peer: undefined, arp: true, promiscuous: false, allMulticast: false },
  ...{ peerIsElsewhere: false, queueLength: 1000, alias: undefined, details: {} },
  ...change,
});

describe('of a namespace, the machine is joined to', () => {
  const lo = link(1, 'lo', { loopback: true });

  test('all that came with plugins, whatever the other end of a cable is called in its own', () => {
    const upon = { kind: 'macvlan', peer: 2, peerIsElsewhere: true };
    const own = [link(2, 'eth0', { peer: 3 }), link(3, 'eth1', upon)];
    expect(chooseLinks([lo, ...own], new Set([1]))).toEqual({ links: own, remarks: [] });
  });

  test('not what every namespace of this kernel has', () => {
    expect(chooseLinks([lo, link(2, 'tunl0', { mac: undefined })], new Set([1, 2])).remarks).toEqual([]);
  });

  test.each([
    ['it is no ethernet (wireguard)', { kind: 'wireguard', mac: undefined }],
    ['it is no ethernet', { kind: undefined, mac: undefined }],
    ['it is a port of another', { master: 2 }],
    ['it is upon another of the pod', { kind: 'vlan', peer: 2 }],
  ])('not to one of which %s', (reason, change) => {
    const eth0 = link(2, 'eth0');
    expect(chooseLinks([lo, eth0, link(3, 'odd', change)], new Set([1]))).toEqual({
      links: [eth0],
      remarks: [`the machine has no interface odd: ${reason}`],
    });
  });
});

describe('of routes, those are planned that', () => {
  const names = new Map([[2, 'eth0']]);
  const route = (change: Partial<Route>): Route => ({
    ...{ family: AF_INET, destination: { address: '10.1.0.0', length: 16 }, link: 2 },
    ...{ table: 254, protocol: 4, scope: 253, type: 'unicast', onLink: false },
    ...change,
  });

  test('somebody has made, or an address brought with it', () => {
    const planned = planRoutes(
      [route({ protocol: 2 }), route({ destination: undefined, gateway: '10.1.0.1' })],
      names,
    );
    expect(planned.map(({ destination }) => destination)).toEqual(['10.1.0.0/16', '0.0.0.0/0']);
    expect(planned[1]?.hops).toEqual([{ interface: 'eth0', gateway: '10.1.0.1', onLink: false, weight: 1 }]);
  });

  test('lead to an interface of the machine, or nowhere', () => {
    expect(planRoutes([route({ link: 7 })], names)).toEqual([]);
    const hops = [2, 7].map((index) => ({ link: index, gateway: undefined, onLink: false, weight: 1 }));
    expect(planRoutes([route({ hops })], names)[0]?.hops).toHaveLength(1);
    expect(planRoutes([route({ type: 'blackhole', link: 1 })], names)[0]?.hops).toEqual([]);
  });

  const v6 = { family: AF_INET6 } as const;
  test.each([
    ['of the table local', { table: 255, type: 'local', protocol: 2 }],
    ['of a link alone', { ...v6, destination: { address: 'fe80::', length: 64 }, protocol: 2 }],
    ['of a router', { ...v6, protocol: 9 }],
    ['by which another gateway was told of', { protocol: 1 }],
  ] as const)('not one %s', (_, change) => {
    expect(planRoutes([route(change)], names)).toEqual([]);
  });
});

test('of rules, those are planned that not every namespace has', () => {
  const rule = (priority: number, table: number, change: Partial<Rule> = {}): Rule => ({
    ...{ family: AF_INET, source: undefined, destination: undefined, priority, table },
    ...{ action: 'table', tos: 0, inverted: false },
    ...change,
  });
  const standard = [rule(0, 255), rule(32766, 254), rule(32767, 253)];
  const own = [
    rule(100, 254),
    rule(32766, 254, { mark: 5 }),
    rule(0, 255, { family: AF_INET6, action: 'prohibit' }),
  ];
  expect(
    planRules([...standard, ...own]).map(({ priority, mark, family }) => [priority, mark, family]),
  ).toEqual([
    [100, null, 4],
    [32766, 5, 4],
    [0, null, 6],
  ]);
});
