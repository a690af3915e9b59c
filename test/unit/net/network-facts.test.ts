import { expect, it } from 'vitest';
import { type CniResult, EMPTY_RESULT, type ResultIp } from '../../../src/net/cni/result.ts';
import { netInfo } from '../../../src/net/network-facts.ts';
import { parseNetworkFile } from '../../../src/net/network-list.ts';

const CHOSEN = {
  list: parseNetworkFile('/n/x.conf', '{"name":"x","type":"ptp"}'),
  args: 'K=V',
  ifName: 'eth0',
};

const facts = (part: Partial<CniResult>) => netInfo(CHOSEN, '/opt/cni/bin/ptp', { ...EMPTY_RESULT, ...part });

it('tells of a network with one address', () => {
  const interfaces = [
    { name: 'veth1', mac: '02:00:00:00:00:99' },
    { name: 'eth0', mac: '02:00:00:00:00:01', sandbox: '/proc/5/ns/net' },
  ];
  const ips = [
    { address: '10.1.2.1/24', interface: 0 },
    { address: '10.1.2.3/24', gateway: '10.1.2.1', interface: 1 },
  ];
  expect(facts({ interfaces, ips })).toEqual({
    netName: 'x',
    netConf: '/n/x.conf',
    pluginPath: '/opt/cni/bin/ptp',
    ifName: 'eth0',
    ip: '10.1.2.3',
    args: 'K=V',
    mask: '255.255.255.0',
    hostIP: '10.1.2.1',
    addresses: ['10.1.2.3/24'],
    mac: '02:00:00:00:00:01',
  });
});

it('tells of one without addresses', () => {
  expect(facts({})).toMatchObject({ ip: '', mask: '', addresses: [] });
});

it.each<[ResultIp[], string, string]>([
  [[{ address: 'fd00::2/64' }, { address: '10.1.2.3/20' }], '10.1.2.3', '255.255.240.0'],
  [[{ address: '10.1.2.3' }], '10.1.2.3', '255.255.255.255'],
  [[{ address: '10.1.2.3/0' }], '10.1.2.3', '0.0.0.0'],
  [[{ address: 'fd00::2/64' }], 'fd00::2', 'ffff:ffff:ffff:ffff::'],
  [[{ address: 'fd00::2/70' }], 'fd00::2', 'ffff:ffff:ffff:ffff:fc00::'],
  [[{ address: 'fd00::2/112' }], 'fd00::2', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:0'],
  [[{ address: 'fd00::2' }], 'fd00::2', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
])('of %j it tells one, and its mask', (ips, ip, mask) => {
  expect(facts({ ips })).toMatchObject({ ip, mask, addresses: ips.map(({ address }) => address) });
});
