import { describe, expect, it } from 'vitest';
import type { CniResult } from '../../../../src/net/cni/result.ts';
import { formatResult, parseResult } from '../../../../src/net/cni/result-formats.ts';
import { CNI_VERSIONS, isAtLeast, isCniVersion } from '../../../../src/net/cni/versions.ts';

const whole: CniResult = {
  interfaces: [
    { name: 'veth0', mac: '02:00:00:00:00:01', mtu: 1400 },
    {
      name: 'eth0',
      mac: '02:00:00:00:00:02',
      mtu: 1400,
      sandbox: '/run/netns/a',
      socketPath: '/s',
      pciID: '0000:00:01.0',
    },
  ],
  ips: [
    { address: '10.1.2.3/24', gateway: '10.1.2.1', interface: 1 },
    { address: 'fd00::3/64', interface: 1 },
  ],
  routes: [
    { dst: '0.0.0.0/0', gw: '10.1.2.1', mtu: 1300, advmss: 1200, priority: 7, table: 100, scope: 253 },
    { dst: 'fd00::/8' },
  ],
  dns: { nameservers: ['10.1.2.53'], domain: 'a.example', search: ['b.example'], options: ['ndots:2'] },
};

const written = (version: (typeof CNI_VERSIONS)[number], result = whole) =>
  JSON.parse(formatResult(result, version));

describe('a result', () => {
  it('comes back whole in the newest version', () => {
    expect(parseResult(written('1.1.0'), 'result')).toEqual(whole);
  });

  it('loses what a version does not know', () => {
    expect(written('1.0.0').ips).toEqual([
      { interface: 1, address: '10.1.2.3/24', gateway: '10.1.2.1' },
      { interface: 1, address: 'fd00::3/64' },
    ]);
    expect(written('1.0.0').interfaces[1]).toEqual({
      name: 'eth0',
      mac: '02:00:00:00:00:02',
      sandbox: '/run/netns/a',
    });
    expect(written('1.0.0').routes).toEqual([{ dst: '0.0.0.0/0', gw: '10.1.2.1' }, { dst: 'fd00::/8' }]);
    for (const version of ['0.3.0', '0.3.1', '0.4.0'] as const)
      expect(written(version).ips.map((ip: { version: string }) => ip.version)).toEqual(['4', '6']);
  });

  it('has one address of each family before 0.3.0', () => {
    for (const version of ['0.1.0', '0.2.0'] as const)
      expect(written(version)).toEqual({
        cniVersion: version,
        ip4: { ip: '10.1.2.3/24', gateway: '10.1.2.1', routes: [{ dst: '0.0.0.0/0', gw: '10.1.2.1' }] },
        ip6: { ip: 'fd00::3/64', routes: [{ dst: 'fd00::/8' }] },
        dns: whole.dns,
      });
    expect(() => formatResult({ ...whole, ips: [] }, '0.2.0')).toThrow('0.2.0');
  });

  it.each(CNI_VERSIONS)('of version %s is read back', (version) => {
    const { ips, dns } = parseResult(written(version), 'result');
    expect(ips.map(({ address }) => address)).toEqual(['10.1.2.3/24', 'fd00::3/64']);
    expect(dns).toEqual(whole.dns);
  });

  it('may lack everything, or have empty texts as Go writes them', () => {
    const nothing = { interfaces: [], ips: [], routes: [], dns: {} };
    expect(parseResult({}, 'result')).toEqual(nothing);
    expect(parseResult({ ips: null, interfaces: null, routes: null, dns: { domain: '' } }, 'result')).toEqual(
      nothing,
    );
    expect(parseResult({ interfaces: [{ name: 'a', mac: '', sandbox: '' }] }, 'result').interfaces).toEqual([
      { name: 'a' },
    ]);
  });

  it.each([
    [[], 'result: expected an object'],
    [{ ips: 5 }, 'result.ips: expected a list'],
    [{ ips: [{ address: 5 }] }, 'result.ips[0].address'],
    [{ ips: [{ address: '10.0.0.1/8', interface: -1 }] }, 'result.ips[0].interface'],
    [{ routes: [{}] }, 'result.routes[0].dst'],
    [{ dns: { nameservers: 'x' } }, 'result.dns.nameservers'],
    [{ interfaces: [{ name: 'a\0b' }] }, 'result.interfaces[0].name'],
  ])('%j is refused', (value, message) => {
    expect(() => parseResult(value, 'result')).toThrow(message);
  });
});

it('versions are ordered', () => {
  expect(isAtLeast('0.3.1', '0.3.0')).toBe(true);
  expect(isAtLeast('0.2.0', '0.3.0')).toBe(false);
  expect([isCniVersion('1.0.0'), isCniVersion('1.0')]).toEqual([true, false]);
});
