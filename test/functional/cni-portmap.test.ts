import { describe, expect, test } from 'vitest';
import { CniChain, PLUGIN_SETS, type PluginConfig } from '../support/cni-chain.ts';
import type { Endpoint } from '../support/network-agent.ts';
import type { NetworkHost } from '../support/network-host.ts';
import { withMachines } from '../support/network-machines.ts';

const BRIDGE: PluginConfig = {
  type: 'bridge',
  bridge: 'cni0',
  isDefaultGateway: true,
  hairpinMode: true,
  ipam: {
    type: 'host-local',
    ranges: [[{ subnet: '10.88.7.0/24' }], [{ subnet: 'fd00:88::/64' }]],
  },
};
const MAPPINGS = [
  { hostPort: 8080, containerPort: 80, protocol: 'tcp' },
  { hostPort: 5353, containerPort: 53, protocol: 'udp' },
  { hostPort: 8081, containerPort: 80, protocol: 'tcp', hostIP: '192.0.2.1' },
  { hostPort: 9999, containerPort: 99, protocol: 'sctp' },
];

function portmap(options: object = {}, portMappings: readonly object[] = MAPPINGS): PluginConfig {
  return { type: 'portmap', ...options, runtimeConfig: { portMappings } };
}

const tcp = (address: string, port: number): Endpoint => ({ protocol: 'tcp', address, port });
const udp = (address: string, port: number): Endpoint => ({ protocol: 'udp', address, port });

function askOf(from: NetworkHost, endpoint: Endpoint): Promise<string> {
  return from.ask({ do: 'ask', ...endpoint });
}

/** Of one who expects no answer. */
function askBriefly(from: NetworkHost, endpoint: Endpoint): Promise<string> {
  return from.ask({ do: 'ask', ...endpoint, briefly: true });
}

/** Every rule of iptables, and everything that nftables has beside those. */
async function rules(host: NetworkHost): Promise<string> {
  const saved = [await host.run('iptables-save'), await host.run('ip6tables-save')].join('\n').split('\n');
  const ruleset = await host.run('nft', 'list', 'ruleset', 'inet');
  return [...saved.filter((line) => line.startsWith('-A')), ruleset].join('\n');
}

async function serveAll(container: NetworkHost): Promise<void> {
  for (const endpoint of [tcp('::', 80), udp('0.0.0.0', 53)])
    expect(await container.ask({ do: 'serve', ...endpoint })).toBe('served');
}

const variants = [
  { of: 'rkt', with: 'nftables', directory: PLUGIN_SETS[0].directory, options: {} },
  { of: 'rkt', with: 'iptables', directory: PLUGIN_SETS[0].directory, options: { backend: 'iptables' } },
  { of: 'Debian', with: 'iptables', directory: PLUGIN_SETS[1].directory, options: {} },
];

describe.each(variants)('portmap of $of, with $with', ({ of, directory, options }) => {
  test('publishes ports for other hosts, the host itself, its localhost, and the container', () =>
    withMachines(async ({ outside, host, container }) => {
      const before = await rules(host);
      const chain = new CniChain(host, container, directory, [BRIDGE, portmap({ snat: true, ...options })]);
      const { ips } = await chain.add();
      const [own = '', own6 = ''] = (ips ?? []).map(({ address }) => address.replace(/\/.*/, ''));
      await serveAll(container);
      // Debian's looks for the rules of one family in the other one.
      if (of === 'rkt') await chain.check();
      expect(await askOf(outside, tcp('192.0.2.1', 8080))).toBe('192.0.2.2');
      expect(await askOf(outside, tcp('2001:db8::1', 8080))).toBe('2001:db8::2');
      expect(await askOf(outside, udp('192.0.2.1', 5353))).toBe('192.0.2.2');
      expect(await askOf(outside, tcp('192.0.2.1', 8081))).toBe('192.0.2.2');
      expect(await askOf(outside, tcp('2001:db8::1', 8081))).toBe('ECONNREFUSED');
      expect(await askOf(host, tcp('127.0.0.1', 8080))).toBe('10.88.7.1');
      expect(await askOf(host, tcp('127.0.0.1', 8081))).toBe('ECONNREFUSED');
      expect(await askOf(host, udp('127.0.0.1', 5353))).toBe('10.88.7.1');
      expect(await askOf(host, tcp('192.0.2.1', 8080))).toMatch(/^(192\.0\.2|10\.88\.7)\.1$/);
      expect(await askOf(host, tcp('2001:db8::1', 8080))).toMatch(/^(2001:db8|fd00:88:)::1$/);
      // The kernel lets no packet from ::1 leave. Debian's takes it all the same, and it is lost.
      expect(await askBriefly(host, tcp('::1', 8080))).toBe(of === 'rkt' ? 'ECONNREFUSED' : 'silence');
      // Its own packets come back to it: under its own address, it would not know them for answers.
      expect(await askOf(container, tcp('10.88.7.1', 8080))).toBe('10.88.7.1');
      expect(await askOf(container, tcp('fd00:88::1', 8080))).toBe('fd00:88::1');
      expect(own).toMatch(/^10\.88\.7\./);
      expect(own6).toMatch(/^fd00:88::/);
      expect(await rules(host)).toMatch(/sctp.* (--)?dport 9999/);
      await chain.del();
      expect(await askOf(outside, tcp('192.0.2.1', 8080))).toBe('ECONNREFUSED');
      // Debian's leaves chains that all containers share.
      if (of === 'rkt') expect(await rules(host)).toBe(before);
      await chain.del();
    }));

  test('leaves addresses as they are without snat', () =>
    withMachines(async ({ outside, host, container }) => {
      await new CniChain(host, container, directory, [BRIDGE, portmap({ ...options, snat: false })]).add();
      await serveAll(container);
      expect(await askOf(outside, tcp('192.0.2.1', 8080))).toBe('192.0.2.2');
      expect(await askBriefly(container, tcp('10.88.7.1', 8080))).toBe('silence');
      expect(await host.run('cat', '/proc/sys/net/ipv4/conf/cni0/route_localnet')).toBe('0');
    }));

  test('takes over flows of UDP that went elsewhere before, and leaves none to a container that has gone', () =>
    withMachines(async ({ outside, host, container }) => {
      const question = { do: 'ask', ...udp('192.0.2.1', 5353), fromPort: 4321 } as const;
      // Somebody on the host answers until there is a container.
      await host.ask({ do: 'serve', ...udp('0.0.0.0', 5353) });
      expect(await outside.ask(question)).toBe('192.0.2.2');
      const masqAll = of === 'rkt' ? { masqAll: true } : {};
      const chain = new CniChain(host, container, directory, [BRIDGE, portmap({ ...options, ...masqAll })]);
      await chain.add();
      expect(await outside.ask({ ...question, briefly: true })).toBe('silence');
      await container.ask({ do: 'serve', ...udp('0.0.0.0', 53) });
      expect(await outside.ask(question)).toBe(of === 'rkt' ? '10.88.7.1' : '192.0.2.2');
      await chain.del();
      // Debian's forgets such flows in ADD alone.
      if (of === 'rkt') expect(await outside.ask(question)).toBe('192.0.2.2');
    }));

  test('publishes nothing, and fails at nothing, where there are no ports', () =>
    withMachines(async ({ host, container }) => {
      const chain = new CniChain(host, container, directory, [BRIDGE, portmap(options, [])]);
      expect((await chain.add()).ips).toHaveLength(2);
      expect(await rules(host)).not.toContain('10.88.7.2');
      await chain.del();
    }));
});

describe('portmap of rkt', () => {
  const { directory } = PLUGIN_SETS[0];
  const conditioned = [
    { backend: 'nftables', conditions: ['ip', 'saddr', '192.0.2.2'], others: ['ip', 'saddr', '192.0.2.77'] },
    { backend: 'iptables', conditions: ['-s', '192.0.2.2'], others: ['!', '-s', '192.0.2.2'] },
  ];

  test.each(conditioned)('takes conditions in the language of $backend', ({ conditions, others }) =>
    withMachines(async ({ outside, host, container }) => {
      const chain = (conditionsV4: readonly string[]) =>
        new CniChain(host, container, directory, [BRIDGE, portmap({ conditionsV4 })]);
      const first = chain(conditions);
      await first.add();
      await serveAll(container);
      expect(await askOf(outside, tcp('192.0.2.1', 8080))).toBe('192.0.2.2');
      expect(await askOf(outside, tcp('2001:db8::1', 8080))).toBe('2001:db8::2');
      await first.del();
      await chain(others).add();
      expect(await askOf(outside, tcp('192.0.2.1', 8080))).toBe('ECONNREFUSED');
    }),
  );

  test.each(['nftables', 'iptables'])('with %s, hides every address with masqAll', (backend) =>
    withMachines(async ({ outside, host, container }) => {
      await new CniChain(host, container, directory, [BRIDGE, portmap({ backend, masqAll: true })]).add();
      await serveAll(container);
      expect(await askOf(outside, tcp('192.0.2.1', 8080))).toBe('10.88.7.1');
      expect(await askOf(outside, udp('192.0.2.1', 5353))).toBe('10.88.7.1');
    }),
  );

  test('marks with the bit that is asked for, or by the chain of somebody else', () =>
    withMachines(async ({ host, container }) => {
      const marking = new CniChain(host, container, directory, [BRIDGE, portmap({ markMasqBit: 4 })]);
      await marking.add();
      await serveAll(container);
      expect(await rules(host)).toContain('--set-xmark 0x10/0x10');
      expect(await askOf(host, tcp('127.0.0.1', 8080))).toBe('10.88.7.1');
      await marking.del();
      for (const program of ['iptables', 'ip6tables']) await host.run(program, '-t', 'nat', '-N', 'MARK-IT');
      const external = new CniChain(host, container, directory, [
        BRIDGE,
        portmap({ externalSetMarkChain: 'MARK-IT' }),
      ]);
      await external.add();
      expect(await rules(host)).toMatch(/-A PREROUTING .*--ctorigsrc 10.88.7.0\/24.* -j MARK-IT/);
      expect(await rules(host)).not.toContain('MASQUERADE');
      await external.del();
      expect(await rules(host)).not.toContain('MARK-IT');
    }));

  test.each(['nftables', 'iptables'])(
    'with %s, finds that a port is another container’s already',
    (backend) =>
      withMachines(async ({ outside, host, container }) => {
        const only = [{ hostPort: 8080, containerPort: 80, protocol: 'tcp', hostIP: '192.0.2.1' }];
        const first = new CniChain(host, container, directory, [BRIDGE, portmap({ backend })]);
        const second = new CniChain(host, outside, directory, [BRIDGE, portmap({ backend }, only)], {
          containerId: 'container2',
          ifName: 'eth7',
        });
        await first.add();
        expect(await second.refusal(() => second.add())).toContain(
          "the host's tcp port 8080 of 192.0.2.1 leads to another container already",
        );
        await first.del();
        await second.del();
        await second.add();
        await second.del();
      }),
  );

  test.each(['nftables', 'iptables'])(
    'with %s, CHECK finds what is missing, and GC what is too much',
    (backend) =>
      withMachines(async ({ host, container }) => {
        const plugins = [BRIDGE, portmap({ backend })];
        const chain = new CniChain(host, container, directory, plugins);
        const before = await rules(host);
        await chain.add();
        await chain.check();
        await chain.collect('portmap', [{ containerID: 'container1', ifname: 'eth0' }]);
        await new CniChain(host, container, directory, plugins, {}, 'another').collect('portmap', []);
        await chain.check();
        await chain.collect('portmap', [{ containerID: 'container1', ifname: 'eth1' }]);
        expect(await rules(host)).toBe(before);
        expect(await chain.refusal(() => chain.check())).toContain("no rule leads from the host's");
      }),
  );

  test.each(['nftables', 'iptables'])(
    'with %s, serves twenty at once, of whom two want one port',
    (backend) =>
      withMachines(async ({ host, container }) => {
        const plain = { ...BRIDGE, isDefaultGateway: false, isGateway: true };
        const chains = Array.from({ length: 20 }, (_, n) => {
          const hostPort = 9000 + Math.min(n, 18);
          const plugins = [plain, portmap({ backend }, [{ hostPort, containerPort: 80, protocol: 'tcp' }])];
          return new CniChain(host, container, directory, plugins, { containerId: `c${n}`, ifName: `e${n}` });
        });
        const outcomes = await Promise.all(chains.map((chain) => chain.refusal(() => chain.add())));
        expect(outcomes.filter((outcome) => outcome !== 'none')).toEqual([
          expect.stringContaining("the host's tcp port 9018 leads to another container already"),
        ]);
        const text = await rules(host);
        for (let port = 9000; port <= 9018; port++) expect(text).toContain(`dport ${port} `);
        await Promise.all(chains.map((chain) => chain.del()));
        expect(await rules(host)).toBe('');
      }),
  );

  const REFUSED: readonly { options: object; mapping?: object; message: string }[] = [
    { options: { markMasqBit: 3, externalSetMarkChain: 'X' }, message: 'exclude each other' },
    { options: { markMasqBit: 3, backend: 'nftables' }, message: 'are of the backend iptables' },
    { options: { backend: 'pf' }, message: "config.backend is 'pf', not one of nftables, iptables" },
    {
      options: { conditionsV4: ['ip', 'saddr', '1.1.1.1; drop'] },
      message: 'which is no condition of a rule',
    },
    {
      options: { conditionsV4: ['-s', '1.1.1.1'], backend: 'nftables' },
      message: 'not in the language of nftables',
    },
    {
      options: {},
      mapping: { hostPort: 0, containerPort: 80 },
      message: 'hostPort: expected an integer from 1 to 65535, got 0',
    },
    {
      options: {},
      mapping: { hostPort: 1, containerPort: 80, protocol: 'icmp' },
      message: "protocol is 'icmp'",
    },
    {
      options: {},
      mapping: { hostPort: 1, containerPort: 80, hostIP: '1.2.3' },
      message: "'1.2.3' is no ip address",
    },
    {
      options: {},
      mapping: { hostPort: 1, containerPort: 80, hostIP: '::1' },
      message: 'whose packets never leave the host',
    },
  ];

  test('refuses what it could not do', () =>
    withMachines(async ({ host, container }) => {
      const prevResult = { ips: [{ address: '10.88.7.2/24' }, { address: 'fd00:88::2/64' }] };
      for (const { options, mapping, message } of REFUSED) {
        const plugin = portmap(options, mapping === undefined ? MAPPINGS : [mapping]);
        const chain = new CniChain(host, container, directory, [{ ...plugin, prevResult }]);
        expect(await chain.refusal(() => chain.add())).toContain(message);
      }
      expect(await rules(host)).toBe('');
      const alone = new CniChain(host, container, directory, [portmap()]);
      expect(await alone.refusal(() => alone.add())).toContain('prevResult is missing');
    }));
});
