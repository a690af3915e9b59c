import { describe, expect, it } from 'vitest';
import { movedResult, standIns } from '../../../src/net/standing-in.ts';

const RESULT = {
  interfaces: [
    { name: 'veth1', mac: '02:00:00:00:00:01' },
    { name: 'eth0', mac: '02:00:00:00:00:02', sandbox: '/proc/7/ns/net' },
    { name: 'net1', mac: '02:00:00:00:00:03', sandbox: '/proc/7/ns/net' },
  ],
  ips: [
    { address: '10.1.0.1/24', interface: 0 },
    { address: '10.1.0.2/24', interface: 1 },
    { address: 'fd00::2/64' },
    { address: '10.2.0.2/24', interface: 2 },
  ],
  routes: [],
  dns: {},
};

describe('what stands in for a namespace that has gone', () => {
  it('are the interfaces that were in there, with their addresses; what no interface has is the first one’s', () => {
    expect(standIns('eth0', RESULT, [])).toEqual([
      { name: 'eth0', mac: '02:00:00:00:00:02', addresses: ['10.1.0.2/24', 'fd00::2/64'] },
      { name: 'net1', mac: '02:00:00:00:00:03', addresses: ['10.2.0.2/24'] },
    ]);
  });

  it('has leased addresses that no result tells of, and each once', () => {
    const [first] = standIns('eth0', RESULT, ['10.1.0.2', '10.1.0.9']);
    expect(first?.addresses).toEqual(['10.1.0.2/24', 'fd00::2/64', '10.1.0.9']);
  });

  it('is one interface with what is leased where no plugin has come to a result', () => {
    expect(standIns('eth3', undefined, ['10.1.0.9'])).toEqual([
      { name: 'eth3', mac: undefined, addresses: ['10.1.0.9'] },
    ]);
  });

  it('is one interface for a result of a version that tells of none', () => {
    expect(standIns('eth0', { ...RESULT, interfaces: [], ips: [{ address: '10.1.0.2/24' }] }, [])).toEqual([
      { name: 'eth0', mac: undefined, addresses: ['10.1.0.2/24'] },
    ]);
  });
});

it('a result that is moved names the new namespace where it named one, and nowhere else', () => {
  const { interfaces } = movedResult(RESULT, '/proc/9/ns/net');
  expect(interfaces.map(({ sandbox }) => sandbox)).toEqual([undefined, '/proc/9/ns/net', '/proc/9/ns/net']);
});
