import { expect, test } from 'vitest';
import { planSysctls } from '../../../../src/supervisor/network/sysctl-plan.ts';

const FRESH = {
  'core/somaxconn': '4096',
  'ipv4/conf/all/forwarding': '0',
  'ipv4/conf/default/forwarding': '0',
  'ipv4/conf/lo/forwarding': '0',
  'ipv4/ip_forward': '0',
  'ipv4/neigh/lo/gc_stale_time': '60',
  'ipv4/tcp_child_ehash_entries': '0',
  'ipv6/conf/default/mtu': '1280',
};
const OF_ETH0 = {
  'ipv4/conf/eth0/forwarding': '0',
  'ipv4/neigh/eth0/gc_stale_time': '60',
  'ipv6/conf/eth0/mtu': '1400',
};

function changes(now: Readonly<Record<string, string>>) {
  const interfaces = [{ name: 'eth0', mtu: 1400 }];
  const [before, after] = [FRESH, { ...FRESH, ...OF_ETH0, ...now }].map(
    (all) => new Map(Object.entries(all)),
  );
  return planSysctls(
    before ?? new Map(),
    after ?? new Map(),
    interfaces,
    (name) => !name.includes('_entries'),
  ).map(({ name, value }) => `${name}=${value}`);
}

test('nothing is to be written where nothing was changed', () => {
  expect(changes({})).toEqual([]);
});

test('what sets others is written before these', () => {
  expect(
    changes({
      'ipv4/conf/lo/forwarding': '1',
      'ipv4/conf/default/forwarding': '1',
      'ipv4/conf/all/forwarding': '1',
      'core/somaxconn': '777',
      'ipv4/ip_forward': '1',
      'ipv4/conf/eth0/forwarding': '1',
    }),
  ).toEqual([
    'ipv4/ip_forward=1',
    'core/somaxconn=777',
    'ipv4/conf/all/forwarding=1',
    'ipv4/conf/default/forwarding=1',
    'ipv4/conf/lo/forwarding=1',
    'ipv4/conf/eth0/forwarding=1',
  ]);
});

test('an interface that does not follow the others is told so', () => {
  expect(changes({ 'ipv4/conf/default/forwarding': '1' })).toEqual([
    'ipv4/conf/default/forwarding=1',
    'ipv4/conf/eth0/forwarding=0',
  ]);
});

test('neighbours of an interface begin as those of the loopback', () => {
  expect(changes({ 'ipv4/neigh/eth0/gc_stale_time': '30' })).toEqual(['ipv4/neigh/eth0/gc_stale_time=30']);
});

test('the mtu of IPv6 is a setting where it is not that of the interface', () => {
  expect(changes({ 'ipv6/conf/eth0/mtu': '1300' })).toEqual(['ipv6/conf/eth0/mtu=1300']);
});

test.each([
  ['what only tells', { 'ipv4/tcp_child_ehash_entries': '5' }],
  ['what came with a module', { 'netfilter/nf_conntrack_max': '5' }],
  ['settings of interfaces that the machine does not have', { 'ipv4/conf/tun0/forwarding': '1' }],
])('%s is left out', (_, now) => {
  expect(changes(now)).toEqual([]);
});
