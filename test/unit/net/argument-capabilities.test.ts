import { expect, it } from 'vitest';
import { argumentCapabilities } from '../../../src/net/argument-capabilities.ts';
import { parseNetworkFile } from '../../../src/net/network-list.ts';

const capabilities = (args: string, declared: object = { ips: true, mac: true, bandwidth: true }) => {
  const text = JSON.stringify({
    name: 'x',
    plugins: [{ type: 'bridge' }, { type: 'b', capabilities: declared }],
  });
  return argumentCapabilities({ list: parseNetworkFile('/n/x.conflist', text), args, ifName: 'eth0' });
};

it.each([
  ['', {}],
  ['K=V;ip=1', {}],
  ['IP=10.1.2.3', { ips: ['10.1.2.3'] }],
  [
    'IP=10.1.2.3/24;MAC=02:00:00:00:00:01;IP=fd00::3/64',
    { ips: ['10.1.2.3/24', 'fd00::3/64'], mac: '02:00:00:00:00:01' },
  ],
  ['INGRESS_RATE=10M', { bandwidth: { ingressRate: 10_000_000, ingressBurst: 1_000_000 } }],
  ['EGRESS_RATE=1M', { bandwidth: { egressRate: 1_000_000, egressBurst: 320_000 } }],
  [
    'EGRESS_BURST=1Mi;EGRESS_RATE=100G;INGRESS_RATE=1T',
    {
      bandwidth: {
        egressRate: 1e11,
        egressBurst: 2 ** 20,
        ingressRate: 1e12,
        ingressBurst: 2 ** 32 - 1,
      },
    },
  ],
])('%j is told as %j', (args, expected) => {
  expect(capabilities(args)).toEqual(expected);
});

it.each([
  ['INGRESS_RATE=fast', {}, 'network x: INGRESS_RATE=fast is no number of bits, such as 10M'],
  ['INGRESS_RATE=1E', {}, 'INGRESS_RATE=1E is no number of bits'],
  ['INGRESS_RATE=0', {}, 'INGRESS_RATE=0 is no number of bits'],
  ['INGRESS_RATE=', {}, 'INGRESS_RATE= is no number of bits'],
  ['EGRESS_BURST=1M', {}, 'EGRESS_BURST without EGRESS_RATE'],
  [
    'EGRESS_RATE=1M',
    { ips: true },
    'a limit is given, but no plugin of the network has the capability bandwidth',
  ],
  [
    'IP=10.0.0.1;IP=fd00::1',
    { bandwidth: true },
    'IP is given more than once, but no plugin of the network has the capability ips',
  ],
])('%j is refused', (args, declared, message) => {
  expect(() => capabilities(args, declared)).toThrow(
    expect.objectContaining({ code: 'bad-request', message: expect.stringContaining(message) }),
  );
});

it('leaves one address and a hardware address to CNI_ARGS where no plugin wants to be told', () => {
  expect(capabilities('IP=10.0.0.1;MAC=02:00:00:00:00:01', {})).toEqual({
    ips: ['10.0.0.1'],
    mac: '02:00:00:00:00:01',
  });
});
