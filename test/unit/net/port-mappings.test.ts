import { describe, expect, test } from 'vitest';
import type { PublishedPort } from '../../../src/abi/published-ports.ts';
import { EMPTY_RESULT } from '../../../src/net/cni/result.ts';
import type { ChosenNetwork } from '../../../src/net/network-choice.ts';
import { checkReachable, planPortMappings } from '../../../src/net/port-mappings.ts';

const network = (name: string, ...plugins: object[]): ChosenNetwork => ({
  list: {
    ...{ name, cniVersion: '1.0.0', disableCheck: false, disableGc: false, source: `${name}.conflist` },
    plugins: plugins.map((plugin) => ({ ...plugin })),
  },
  args: '',
  ifName: 'eth0',
});
const plain = { type: 'macvlan' };
const masquerading = { type: 'ptp', ipMasq: true };
const publishing = { type: 'portmap', capabilities: { portMappings: true } };

const web: PublishedPort = { name: 'web', protocol: 'tcp', hostPort: 8080, podPort: 80, count: 1 };
const dns: PublishedPort = {
  ...{ name: 'dns', protocol: 'udp', hostIP: '10.0.0.1', hostPort: 53, podPort: 5300, count: 2 },
};

describe('ports lead to', () => {
  test.each<[string, ChosenNetwork[], string]>([
    [
      'the first network that can publish them',
      [network('a', masquerading), network('b', plain, publishing), network('c', plain, publishing)],
      'b',
    ],
    ['else the first that masquerades', [network('a', plain), network('b', masquerading), network('c')], 'b'],
    ['else the last', [network('a', plain), network('b', plain)], 'b'],
  ])('%s', (_, chosen, name) => {
    const plan = planPortMappings(chosen, [web]);
    expect(plan.chosen.map(({ list }) => list.name)).toEqual(chosen.map(({ list }) => list.name));
    expect(plan.runtimeConfigs.map(({ portMappings }) => portMappings !== undefined)).toEqual(
      chosen.map(({ list }) => list.name === name),
    );
    const last = plan.chosen.find(({ list }) => list.name === name)?.list.plugins.at(-1);
    expect(last).toMatchObject(publishing);
  });

  test('nowhere without a network', () => {
    expect(() => planPortMappings([], [web, dns])).toThrow(
      'no network for port 8080:80/tcp, 10.0.0.1:53-54:5300-5301/udp',
    );
  });
});

test('a plugin that publishes ports is put in where there is none', () => {
  const chosen = [network('a', masquerading)];
  expect(planPortMappings(chosen, [web]).chosen[0]?.list.plugins).toEqual([
    masquerading,
    { type: 'portmap', capabilities: { portMappings: true }, snat: true },
  ]);
  const able = [network('a', masquerading, publishing)];
  expect(planPortMappings(able, [web]).chosen).toEqual(able);
  // Nothing to publish: the network stays as its file has it.
  expect(planPortMappings(chosen, [])).toEqual({ chosen, runtimeConfigs: [{}] });
});

test('each port of a range is told by itself', () => {
  const plan = planPortMappings([network('a', masquerading)], [web, dns]);
  expect(plan.runtimeConfigs).toEqual([
    {
      portMappings: [
        { hostPort: 8080, containerPort: 80, protocol: 'tcp' },
        { hostPort: 53, containerPort: 5300, protocol: 'udp', hostIP: '10.0.0.1' },
        { hostPort: 54, containerPort: 5301, protocol: 'udp', hostIP: '10.0.0.1' },
      ],
    },
  ]);
});

describe('a port that nobody could reach is refused', () => {
  const result = (...addresses: string[]) => ({
    ...EMPTY_RESULT,
    ips: addresses.map((address) => ({ address })),
  });
  const port = (hostIP?: string) => ({
    ...({ protocol: 'tcp', hostPort: 8080, containerPort: 80 } as const),
    ...(hostIP === undefined ? {} : { hostIP }),
  });

  test.each([
    [[port(), port('10.0.0.1')], result('10.1.0.2/24')],
    [[port(), port('::')], result('fd00::2/64')],
    [[port('0.0.0.0'), port('::')], result('10.1.0.2/24', 'fd00::2/64')],
    [[], result()],
  ])('%j with %j is not', (ports, given) => {
    checkReachable(ports, given);
  });

  test.each([
    [[port()], result(), 'tcp port 8080 leads nowhere: the pod has no address there'],
    [
      [port(), port('::')],
      result('10.1.0.2/24'),
      'tcp port [::]:8080 leads nowhere: the pod has no address of IPv6 there',
    ],
    [
      [port('10.0.0.1')],
      result('fd00::2/64'),
      'tcp port 10.0.0.1:8080 leads nowhere: the pod has no address of IPv4 there',
    ],
  ])('%j with %j', (ports, given, problem) => {
    expect(() => checkReachable(ports, given)).toThrow(problem);
  });
});
