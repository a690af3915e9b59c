import { describe, expect, test } from 'vitest';
import { matchLinks, parsePrefix, renamings } from '../../../guest-init/interfaces.ts';
import { type InterfacePlan, STAND_IN_ADDRESS } from '../../../src/abi/network-plan.ts';

const plan = (name: string, mac: string | null = null): InterfacePlan => ({
  ...{ name, mac, mtu: null, queueLength: null, addresses: [] },
  ...{ up: true, arp: true, promiscuous: false, allMulticast: false },
});
const link = (index: number, name: string, mac?: string) => ({ index, name, mac });

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

describe('devices are found by their hardware addresses', () => {
  const [one, other] = ['02:00:00:00:00:01', '02:00:00:00:00:02'];

  test('whatever their order', () => {
    const plans = [plan('lo'), plan('eth0', one), plan('eth1', other)];
    const links = [link(1, 'lo', '00:00:00:00:00:00'), link(2, 'eth0', other), link(3, 'eth1', one)];
    expect(matchLinks(plans, links).map((found) => [found.plan.name, found.link.index])).toEqual([
      ['lo', 1],
      ['eth0', 3],
      ['eth1', 2],
    ]);
  });

  test('in their order where several have the same', () => {
    const links = [link(3, 'eth1', one), link(2, 'eth0', one)];
    const found = matchLinks([plan('up0', one), plan('up1', one)], links);
    expect(found.map(({ link: { index } }) => index)).toEqual([2, 3]);
  });

  test('in their order where a machine was saved with them, and has yet to be told whose they are', () => {
    const links = [link(3, 'eth1', `${STAND_IN_ADDRESS}01`), link(2, 'eth0', `${STAND_IN_ADDRESS}00`)];
    const found = matchLinks([plan('eth0', other), plan('eth1', one)], links);
    expect(found.map(({ plan: { name }, link: { index } }) => [name, index])).toEqual([
      ['eth0', 2],
      ['eth1', 3],
    ]);
  });

  test('unless they are not there yet', () => {
    expect(matchLinks([plan('eth0', one)], [link(2, 'eth0', other)])).toEqual([]);
  });
});

test('an address with its prefix', () => {
  expect(parsePrefix('10.1.0.2/24')).toEqual({ address: '10.1.0.2', length: 24 });
  expect(parsePrefix('fd00::1/64')).toEqual({ address: 'fd00::1', length: 64 });
  for (const wrong of ['10.1.0.2', '10.1.0.2/', '10.1.0.2/24/3', '10.1.0.2/x'])
    expect(() => parsePrefix(wrong)).toThrow('is no ADDRESS/PREFIX');
});
