import { expect, test } from 'vitest';
import { directFirst, parsePrefix, renamings } from '../../../guest-init/interfaces.ts';

const plan = (name: string) => ({ name, mac: null, mtu: null, addresses: [], routes: [] });
const link = (index: number, name: string) => ({ index, name, mac: undefined });

test('a name that is right stays', () => {
  expect(renamings([{ plan: plan('eth0'), link: link(2, 'eth0') }])).toEqual([]);
});

test('two interfaces can swap their names', () => {
  const links = [
    { plan: plan('eth1'), link: link(2, 'eth0') },
    { plan: plan('eth0'), link: link(3, 'eth1') },
  ];
  expect(renamings(links)).toEqual([
    { index: 2, name: 'rkt-tmp2' },
    { index: 3, name: 'rkt-tmp3' },
    { index: 2, name: 'eth1' },
    { index: 3, name: 'eth0' },
  ]);
});

test('routes on the link come before those behind a gateway', () => {
  const behind = { destination: '0.0.0.0/0', gateway: '10.0.0.1', metric: null };
  const direct = { destination: '10.0.0.1/32', gateway: null, metric: null };
  expect(directFirst([behind, direct])).toEqual([direct, behind]);
});

test('an address with its prefix', () => {
  expect(parsePrefix('10.1.0.2/24')).toEqual({ address: '10.1.0.2', length: 24 });
  expect(parsePrefix('fd00::1/64')).toEqual({ address: 'fd00::1', length: 64 });
  for (const wrong of ['10.1.0.2', '10.1.0.2/', '10.1.0.2/24/3', '10.1.0.2/x'])
    expect(() => parsePrefix(wrong)).toThrow('is no ADDRESS/PREFIX');
});
