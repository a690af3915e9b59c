import { describe, expect, it } from 'vitest';
import { EMPTY_RESULT } from '../../../src/net/cni/result.ts';
import { parseNetworkFile } from '../../../src/net/network-list.ts';
import { declaresCapability, dnsCapability, pluginInput } from '../../../src/net/plugin-input.ts';

const list = (cniVersion: string, ...plugins: object[]) =>
  parseNetworkFile('/n/x.conflist', JSON.stringify({ cniVersion, name: 'x', plugins }));

const input = (cniVersion: string, plugin: object, given: Parameters<typeof pluginInput>[2]) => {
  const network = list(cniVersion, { type: 'p', ...plugin });
  return pluginInput(network, network.plugins[0] ?? {}, given);
};

describe('what a plugin is given', () => {
  it("is its own configuration, with the network's name and version", () => {
    expect(input('1.0.0', { ipam: { type: 'static' }, args: { cni: {} } }, {})).toEqual({
      type: 'p',
      ipam: { type: 'static' },
      args: { cni: {} },
      name: 'x',
      cniVersion: '1.0.0',
    });
  });

  it('is what it declares that it wants to know', () => {
    const runtimeConfig = { mac: '02:00:00:00:00:01', ips: ['10.1.2.3/24'], bandwidth: { ingressRate: 5 } };
    const capabilities = { mac: true, ips: false, bandwidth: 'true', portMappings: true, constructor: true };
    expect(input('1.0.0', { capabilities }, { runtimeConfig })).toEqual({
      type: 'p',
      name: 'x',
      cniVersion: '1.0.0',
      runtimeConfig: { mac: '02:00:00:00:00:01' },
    });
    for (const wrong of [null, [], 'mac', 5, {}])
      expect(input('1.0.0', { capabilities: wrong }, { runtimeConfig })).not.toHaveProperty('runtimeConfig');
  });

  it("is what came out of the plugin before it, in the network's version", () => {
    const prevResult = { ...EMPTY_RESULT, ips: [{ address: '10.1.2.3/24', gateway: '10.1.2.1' }] };
    expect(input('0.2.0', {}, { prevResult })).toMatchObject({
      prevResult: { cniVersion: '0.2.0', ip4: { ip: '10.1.2.3/24', gateway: '10.1.2.1' } },
    });
    expect(input('0.4.0', {}, { prevResult })).toMatchObject({
      prevResult: { ips: [{ version: '4', address: '10.1.2.3/24' }] },
    });
    expect(() => input('0.2.0', {}, { prevResult: EMPTY_RESULT })).toThrow('cannot be told in version 0.2.0');
  });

  it('is what GC is not to take away, under both names', () => {
    const value = [{ containerID: 'c', ifname: 'eth0' }];
    expect(input('1.1.0', {}, { validAttachments: [{ containerId: 'c', ifName: 'eth0' }] })).toMatchObject({
      'cni.dev/valid-attachments': value,
      'cni.dev/attachments': value,
    });
    expect(input('1.1.0', {}, { validAttachments: [] })['cni.dev/valid-attachments']).toEqual([]);
  });
});

it('tells of name servers as far as they are given', () => {
  expect(dnsCapability({})).toEqual({});
  expect(dnsCapability({ nameservers: [], domain: 'd' })).toEqual({});
  expect(dnsCapability({ nameservers: ['10.0.0.1'], search: ['a', 'b'], options: ['ndots:2'] })).toEqual({
    dns: { servers: ['10.0.0.1'], searches: ['a', 'b'], options: ['ndots:2'] },
  });
});

it('knows whether anybody in a chain wants to be told', () => {
  const network = list('1.0.0', { type: 'a' }, { type: 'b', capabilities: { mac: true, ips: false } });
  expect(['mac', 'ips', 'dns'].filter((name) => declaresCapability(network, name))).toEqual(['mac']);
});
