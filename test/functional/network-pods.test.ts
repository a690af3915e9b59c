import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PLUGIN_SETS } from '../support/cni-chain.ts';
import { FLAVOURS } from '../support/flavours.ts';
import { LEASES, serveLeases } from '../support/lease-server.ts';
import type { BackgroundProgram } from '../support/network-host.ts';
import { leftOfPods, linksOf } from '../support/network-look.ts';
import {
  expectAnswers,
  FAR,
  installShellPlugin,
  machineAsker,
  type NetworkSite,
  question,
  type SitePod,
  useSite,
} from '../support/network-site.ts';
import { eventually } from '../support/polling.ts';

// Two pods with as many networks as there are kinds, on a machine that forwards nothing which no plugin lets through. `web` is on `front`
// (a bridge: masquerading, published ports) and `back` (a cable to the host: limited, tuned, routed by its source); `other` on `front`, on
// the outside's own network, on one with a DHCP server, and on one of a plugin in shell.

const FIREWALL = { type: 'firewall', backend: 'iptables' };
const FRONT = {
  cniVersion: '1.0.0',
  name: 'front',
  plugins: [
    {
      type: 'bridge',
      bridge: 'front0',
      isDefaultGateway: true,
      ipMasq: true,
      hairpinMode: true,
      ipam: { type: 'host-local', ranges: [[{ subnet: '10.1.0.0/24' }], [{ subnet: 'fd00:1::/64' }]] },
    },
    { type: 'portmap', capabilities: { portMappings: true }, snat: true },
    FIREWALL,
  ],
};
const BACK = {
  cniVersion: '1.0.0',
  name: 'back',
  plugins: [
    {
      type: 'ptp',
      mtu: 1400,
      ipam: {
        type: 'host-local',
        ranges: [[{ subnet: '10.2.0.0/24' }], [{ subnet: 'fd00:2::/64' }]],
        routes: [{ dst: '10.20.0.0/16' }, { dst: 'fd00:20::/64' }],
      },
    },
    FIREWALL,
    {
      type: 'bandwidth',
      ingressRate: 4_000_000,
      ingressBurst: 400_000,
      egressRate: 4_000_000,
      egressBurst: 400_000,
    },
    {
      type: 'tuning',
      mac: 'c2:11:22:33:44:55',
      sysctl: { 'net.core.somaxconn': '321', 'net.ipv4.conf.eth1.arp_filter': '1' },
    },
    { type: 'sbr' },
  ],
};
const LAN = {
  cniVersion: '0.4.0',
  name: 'lan',
  type: 'macvlan',
  master: 'up0',
  ipam: {
    type: 'static',
    addresses: [{ address: '192.0.2.20/24' }, { address: '2001:db8::20/64' }],
    routes: [{ dst: '203.0.113.0/24', gw: '192.0.2.2' }],
  },
};
const LEASED = {
  cniVersion: '1.0.0',
  name: 'leased',
  type: 'bridge',
  bridge: 'leased0',
  ipam: { type: 'dhcp' },
};
const CABLE = { cniVersion: '1.0.0', name: 'cable', type: 'cable' };
/** Of 4 Mbit a second: what is beyond the burst takes 1100 ms. */
const LIMITED_BYTES = 600_000;
/** Goes in packets as large as there are. */
const MUCH = 3_000_000;

const [RKTS] = PLUGIN_SETS;
const FLAVOURS_BY_PLUGINS = FLAVOURS.flatMap((flavour) =>
  (flavour.ownKernel ? PLUGIN_SETS : [RKTS]).map((plugins) => ({ ...flavour, of: plugins.of, plugins })),
);

describe.each(FLAVOURS_BY_PLUGINS)('$name, by the plugins of $of', ({ image: stage1, plugins }) => {
  const site = useSite(plugins);
  let [web, other]: (SitePod | undefined)[] = [];
  let programs: BackgroundProgram[] = [];
  const pods = () => {
    if (web === undefined || other === undefined) throw new Error('the pods have not started');
    return { web, other };
  };
  beforeAll(async () => {
    const { now } = site;
    writeNetworks(now);
    await forwardNothing(now);
    // A default route is what the pod has already.
    programs = await serveLeases(now.host, 'leased0', plugins.directory, '--dhcp-option=3');
    const publish = ['8080:80', '8080:80/udp', '192.0.2.1:8081:80', '[2001:db8::1]:8082:80'];
    [web, other] = await Promise.all([
      now.pod(
        `--stage1-path=${stage1}`,
        '--net=front:IP=10.1.0.50,back',
        ...publish.map((port) => `--port=${port}`),
      ),
      now.pod(`--stage1-path=${stage1}`, '--net=front,lan,leased,cable:COLOUR=red'),
    ]);
  });
  afterAll(() => Promise.all(programs.map((program) => program[Symbol.asyncDispose]())));

  test('a guest has the addresses, the routes, the mtu and the hardware address that plugins gave its interfaces', async () => {
    const { web, other } = pods();
    const look = 'ip -o addr show scope global; ip route; ip -6 route; ip link show eth1';
    const shown = (await web.shell(look)).replace(/ +/g, ' ');
    for (const line of ['eth0 inet 10.1.0.50/24', 'eth1 inet 10.2.0.2/24', 'eth1 inet6 fd00:2::2/64'])
      expect(shown).toContain(line);
    expect(shown).toMatch(/eth0 inet6 fd00:1::\w+\/64/);
    expect(shown).toMatch(/^default via 10\.1\.0\.1 dev eth0/m);
    expect(shown).toMatch(/^default via fd00:1::1 dev eth0/m);
    expect(shown).toMatch(/ mtu 1400 [\s\S]*link\/ether c2:11:22:33:44:55/);
    const others = (await other.shell(`${look}; ip link show eth3`)).replace(/ +/g, ' ');
    expect(others).toContain('eth1 inet 192.0.2.20/24');
    expect(others).toContain('eth1 inet6 2001:db8::20/64');
    expect(others).toMatch(/^203\.0\.113\.0\/24 via 192\.0\.2\.2 dev eth1/m);
    expect(others).toMatch(/eth2 inet 10\.77\.0\.\d\d\/24/);
    expect(others).toContain('eth3 inet 10.99.0.2/24');
  });

  test('a guest has the settings of tuning, and the rules and tables of sbr', async () => {
    const { web } = pods();
    const settings =
      'cd /proc/sys/net; cat core/somaxconn ipv4/conf/eth1/arp_filter ipv4/conf/eth0/arp_filter';
    expect(await web.shell(settings)).toBe('321\n1\n0\n');
    expect(await web.shell('ip rule; ip -6 rule')).toMatch(
      /from 10\.2\.0\.2 lookup 100[\s\S]*from fd00:2::2 lookup 101/,
    );
    expect(await web.shell('ip route show table 100')).toMatch(/^default via 10\.2\.0\.1 dev eth1/m);
    // Busybox shows nothing of a table of IPv6 alone.
    expect(await web.shell('ip -6 route show table all')).toContain(
      'default via fd00:2::1 dev eth1 table 101',
    );
    expect(await web.shell('ip route')).not.toContain('eth1');
  });

  test('pod and host reach each other', async () => {
    const { web } = pods();
    const v6 = await addressOf(web, 'eth0');
    for (const protocol of ['tcp', 'udp'] as const) {
      await expectAnswers(web, {
        [`${protocol} 10.1.0.1 90`]: '10.1.0.50',
        [`${protocol} fd00:1::1 90`]: v6,
        [`${protocol} 10.2.0.1 90 from 10.2.0.2`]: '10.2.0.2',
        [`${protocol} fd00:2::1 90 from fd00:2::2`]: 'fd00:2::2',
      });
      await expectAnswers(machineAsker(site.now.host), {
        [`${protocol} 10.1.0.50 80`]: '10.1.0.1',
        [`${protocol} ${v6} 80`]: 'fd00:1::1',
        [`${protocol} 10.2.0.2 80`]: '10.2.0.1',
        [`${protocol} fd00:2::2 80`]: 'fd00:2::1',
      });
    }
  });

  test('pods reach each other on one network, and across two', async () => {
    const { web, other } = pods();
    const [v4, v6] = [await addressOf(other, 'eth0', 'inet'), await addressOf(other, 'eth0')];
    const webV6 = await addressOf(web, 'eth0');
    for (const protocol of ['tcp', 'udp'] as const) {
      await expectAnswers(other, {
        [`${protocol} 10.1.0.50 80`]: v4,
        [`${protocol} ${webV6} 80`]: v6,
        // Beyond its network: as the host, which has these addresses on the way.
        [`${protocol} 10.2.0.2 80`]: '10.2.0.1',
        [`${protocol} fd00:2::2 80`]: 'fd00:2::1',
      });
      await expectAnswers(web, {
        [`${protocol} ${v4} 80`]: '10.1.0.50',
        [`${protocol} ${v4} 80 from 10.2.0.2`]: '10.2.0.2',
        [`${protocol} ${v6} 80 from fd00:2::2`]: 'fd00:2::2',
      });
    }
  });

  test('pods reach the outside through masquerading; what is masqueraded nowhere does not come back', async () => {
    for (const pod of Object.values(pods()))
      await expectAnswers(pod, {
        [`tcp ${FAR.v4} 90`]: '192.0.2.1',
        [`udp ${FAR.v4} 90`]: '192.0.2.1',
        [`tcp ${FAR.v6} 90`]: '2001:db8::1',
        [`udp ${FAR.v6} 90`]: '2001:db8::1',
      });
    await expectAnswers(pods().web, { [`tcp ${FAR.v4} 90 from 10.2.0.2`]: 'silence' });
    const much = { send: MUCH, receive: MUCH };
    const asked = [FAR.v4, FAR.v6].map((address) => ({ ...question(`tcp ${address} 90`), ...much }));
    expect(await pods().web.answers(asked)).toEqual(['192.0.2.1', '2001:db8::1']);
  });

  test('published ports are reached from outside, by the host’s own addresses, from localhost and from the pod itself', async () => {
    await expectAnswers(machineAsker(site.now.outside), {
      'tcp 192.0.2.1 8080': '192.0.2.2',
      'udp 192.0.2.1 8080': '192.0.2.2',
      'tcp 2001:db8::1 8080': '2001:db8::2',
      'udp 2001:db8::1 8080': '2001:db8::2',
      'tcp 192.0.2.1 8081': '192.0.2.2',
      'tcp 2001:db8::1 8082': '2001:db8::2',
      'tcp 2001:db8::1 8081': 'ECONNREFUSED',
    });
    // From its own address the host is seen as that; from 127.0.0.1 as the bridge.
    await expectAnswers(machineAsker(site.now.host), {
      'tcp 192.0.2.1 8080': '192.0.2.1',
      'udp 192.0.2.1 8080': '192.0.2.1',
      'tcp 2001:db8::1 8080': '2001:db8::1',
      'udp 2001:db8::1 8080': '2001:db8::1',
      'tcp 127.0.0.1 8080': '10.1.0.1',
      'udp 127.0.0.1 8080': '10.1.0.1',
      'tcp 127.0.0.1 8081': 'ECONNREFUSED',
    });
    await expectAnswers(pods().web, {
      'tcp 192.0.2.1 8080': '10.1.0.1',
      'udp 192.0.2.1 8080': '10.1.0.1',
      'tcp 2001:db8::1 8080': 'fd00:1::1',
    });
  });

  test('bandwidth holds in both directions', async () => {
    const { host } = site.now;
    const takes = async (action: () => Promise<unknown>) => {
      const began = performance.now();
      expect(await action()).toBeTruthy();
      return performance.now() - began;
    };
    const server = question('tcp 10.2.0.2 80');
    expect(await takes(() => host.ask({ do: 'ask', ...server, send: LIMITED_BYTES }))).toBeGreaterThan(1050);
    expect(await takes(() => host.ask({ do: 'ask', ...server, receive: LIMITED_BYTES }))).toBeGreaterThan(
      1050,
    );
  });

  test('a macvlan is on the outside’s own network; a lease leads to its server; the plugin in shell to its cable', async () => {
    const { other } = pods();
    const leased = await addressOf(other, 'eth2', 'inet');
    for (const protocol of ['tcp', 'udp'] as const) {
      await expectAnswers(other, {
        [`${protocol} 192.0.2.2 90`]: '192.0.2.20',
        [`${protocol} 2001:db8::2 90`]: '2001:db8::20',
        [`${protocol} 10.77.0.1 90`]: leased,
        [`${protocol} 10.99.0.1 90`]: '10.99.0.2',
        [`${protocol} fd00:99::1 90`]: 'fd00:99::2',
      });
      await expectAnswers(machineAsker(site.now.outside), {
        [`${protocol} 192.0.2.20 80`]: '192.0.2.2',
        [`${protocol} 2001:db8::20 80`]: '2001:db8::2',
      });
      await expectAnswers(machineAsker(site.now.host), {
        [`${protocol} ${leased} 80`]: '10.77.0.1',
        [`${protocol} 10.99.0.2 80`]: '10.99.0.1',
        [`${protocol} fd00:99::2 80`]: 'fd00:99::1',
      });
    }
  });

  test('list shows the networks of both', async () => {
    const { web, other } = pods();
    const listed = await site.now.rkt.output(['list', '--full', '--no-legend']);
    const networksOf = ({ uuid }: SitePod) =>
      listed
        .split('\n')
        .find((line) => line.startsWith(uuid))
        ?.split('\t')
        .at(-1);
    const v6 = await addressOf(web, 'eth0');
    expect(networksOf(web)).toBe(
      `front:ip4=10.1.0.50, front:ip6=${v6}, back:ip4=10.2.0.2, back:ip6=fd00:2::2`,
    );
    const leased = await addressOf(other, 'eth2', 'inet');
    const rest = 'cable:ip4=10.99.0.2, cable:ip6=fd00:99::2';
    expect(networksOf(other)).toContain(
      `, lan:ip4=192.0.2.20, lan:ip6=2001:db8::20, leased:ip4=${leased}, ${rest}`,
    );
  });

  test('a pod’s end takes away what is outside of it, in reverse and by what was made', async () => {
    const { web, other } = pods();
    const { host } = site.now;
    expect(await leftOfPods(host, [web.uuid])).not.toEqual([]);
    await Promise.all([web.end(), other.end()]);
    expect(await leftOfPods(host, [web.uuid, other.uuid])).toEqual([]);
    expect((await linksOf(host)).filter(({ master }) => master !== undefined)).toEqual([]);
    const call = `${other.uuid} eth3 `;
    const args = /COLOUR=red$/;
    const log = (await host.run('cat', '/run/cable.log'))
      .split('\n')
      .filter((line) => !line.startsWith('VERSION'));
    expect(log.map((line) => line.replace(args, '').replace(/IgnoreUnknown=\w+;/, ''))).toEqual([
      `ADD ${call}`,
      `DEL ${call}`,
      'DEL knows what was made',
    ]);
    expect(log[0]).toMatch(args);
    expect(log[1]).toMatch(args);
    // Debian's sends nothing that dnsmasq takes for a release.
    if (plugins === RKTS)
      await eventually('the lease is given back', async () => (await host.run('cat', LEASES)) === '');
    await expectAnswers(machineAsker(site.now.outside), { 'tcp 192.0.2.1 8080': 'ECONNREFUSED' });
  });
});

function writeNetworks(site: NetworkSite): void {
  installShellPlugin(site);
  site.network('10-front.conflist', FRONT);
  site.network('20-back.conflist', BACK);
  site.network('30-lan.conf', LAN);
  site.network('40-leased.conf', LEASED);
  site.network('50-cable.conf', CABLE);
}

/** A host that forwards what plugins and published ports let through. */
async function forwardNothing({ host }: NetworkSite): Promise<void> {
  const published = '-m conntrack --ctstate DNAT,RELATED,ESTABLISHED -j ACCEPT'.split(' ');
  for (const program of ['iptables', 'ip6tables']) {
    await host.run(program, '-P', 'FORWARD', 'DROP');
    await host.run(program, '-A', 'FORWARD', ...published);
  }
}

/** As the guest shows it. */
async function addressOf(pod: SitePod, ifName: string, family: 'inet' | 'inet6' = 'inet6'): Promise<string> {
  const shown = await pod.shell(`ip -o addr show dev ${ifName} scope global`);
  return new RegExp(`${family} ([0-9a-f.:]+)/`).exec(shown)?.[1] ?? `no ${family} address in: ${shown}`;
}
