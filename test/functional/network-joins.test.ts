import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { tinyImages } from '../support/images.ts';
import type { ShownLink } from '../support/network-look.ts';
import { expectAnswers, machineAsker, question, type SitePod, useSite } from '../support/network-site.ts';

// How a machine is joined to interfaces of all sorts, which a plugin in shell makes.

const site = useSite();
const PLUGIN = fileURLToPath(new URL('../support/shell-plugin/odd', import.meta.url));
const KINDS = ['full', 'filtered', 'many', 'tunnel'];
/** More than any queue on the way holds. */
const BYTES = 2_000_000;
/** What is left of each interface's mtu by the headers of IP and ICMP. */
const LARGEST = [1400 - 28, 9000 - 28];

beforeAll(() => {
  const { now } = site;
  copyFileSync(PLUGIN, join(now.rkt.localConfig, 'net.d', 'odd'));
  for (const kind of KINDS)
    now.network(`50-${kind}.conflist`, { cniVersion: '1.0.0', name: kind, plugins: [{ type: 'odd', kind }] });
});

describe('a pod with two processors and two interfaces', () => {
  let started: SitePod | undefined;
  const pod = () => {
    if (started === undefined) throw new Error('the pod has not started');
    return started;
  };
  beforeAll(async () => {
    const image = await site.now.peerImage();
    started = await (await site.now.run('--net=full,filtered', image, '--cpu=2')).served();
  });

  /** Of the pod's own network namespace, in which its supervisor is. */
  async function namespaceLinks(): Promise<ShownLink[]> {
    const status = await site.now.rkt.output(['status', pod().uuid]);
    const pid = /^pid=(\d+)$/m.exec(status)?.[1];
    const shown = await site.now.host.run('nsenter', `--net=/proc/${pid}/ns/net`, 'ip', '-j', '-d', 'link');
    return JSON.parse(shown) as ShownLink[];
  }

  test('is joined by taps, and by a macvtap where packets go through a plugin’s own filters', async () => {
    const links = await namespaceLinks();
    const kinds = links.map(({ ifname, linkinfo }) => [ifname, linkinfo?.info_kind]);
    expect(kinds).toEqual(
      expect.arrayContaining([
        ['rkt-tap0', 'tun'],
        ['rkt-tap1', 'macvtap'],
      ]),
    );
  });

  test('has the hardware addresses, and what else was set', async () => {
    const shown = await pod().shell('ip link; ip neigh; ip rule; ip route show table 200');
    expect(shown).toMatch(/eth0: .* mtu 1400 .* qlen 555\n.*02:00:00:00:00:10/);
    expect(shown).toMatch(/eth1: .* mtu 9000 .*\n.*02:00:00:00:00:11/);
    expect(shown).toMatch(/^10\.90\.0\.77 dev eth0 lladdr 02:aa:bb:cc:dd:ee .*PERMANENT/m);
    expect(shown).toMatch(/^900:\s+from 10\.90\.0\.2 lookup 200/m);
    expect(shown).toMatch(/^10\.50\.0\.0\/16 via 10\.90\.0\.1 dev eth0/m);
    expect(await pod().shell('ip route')).toMatch(/^default via 10\.90\.0\.1 dev eth0\s+metric 77/m);
    const settings = 'cd /proc/sys/net; cat core/somaxconn ipv4/conf/*/arp_notify';
    // all, default, eth0, eth1, lo
    expect(await pod().shell(settings)).toBe('777\n0\n0\n1\n0\n0\n');
  });

  test('has queues for both processors', async () => {
    expect(await pod().shell('cd /sys/class/net; echo eth?/queues/*')).toBe(
      ['eth0', 'eth1']
        .flatMap((name) => ['rx-0', 'rx-1', 'tx-0', 'tx-1'].map((queue) => `${name}/queues/${queue}`))
        .join(' ')
        .concat('\n'),
    );
  });

  test('talks over both, in both directions and families, whatever the size', async () => {
    const { host } = site.now;
    for (const number of [0, 1]) {
      const [v4, v6] = [`10.9${number}.0`, `fd00:9${number}:`];
      for (const protocol of ['tcp', 'udp'] as const) {
        for (const address of [`${v4}.1`, `${v6}:1`])
          await host.ask({ do: 'serve', protocol, address, port: 90 });
        await expectAnswers(pod(), {
          [`${protocol} ${v4}.1 90`]: `${v4}.2`,
          [`${protocol} ${v6}:1 90`]: `${v6}:2`,
        });
        await expectAnswers(machineAsker(host), {
          [`${protocol} ${v4}.2 80`]: `${v4}.1`,
          [`${protocol} ${v6}:2 80`]: `${v6}:1`,
        });
      }
      const server = question(`tcp ${v4}.2 80`);
      expect(await host.ask({ do: 'ask', ...server, send: BYTES, receive: BYTES })).toBe(`${v4}.1`);
      expect(await pod().shell(`ping -c 1 -s ${LARGEST[number]} ${v4}.1`)).toContain(' 0% packet loss');
    }
  });
});

test('an interface that no machine can have is told of, and the pod has the others', async () => {
  const { rkt } = site.now;
  const { aci } = await tinyImages();
  const args = ['run', '--net=tunnel', aci.plain, '--exec=/bin/sh', '--', '-c', 'ls /sys/class/net'];
  const { code, stdout, stderr } = await rkt.run(args);
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'eth0\nlo\n' });
  expect(stderr).toContain('the machine has no interface tun0: it is no ethernet (tun)');
});

test('more interfaces than a machine has are refused', async () => {
  const { rkt } = site.now;
  const { code, stderr } = await rkt.run(['run', '--net=many', (await tinyImages()).aci.plain]);
  expect(code).toBe(254);
  expect(stderr).toContain('61 interfaces: a machine has at most 24');
});

test('an interface of larger packets than a tap takes is joined by a macvtap', async () => {
  const { rkt } = site.now;
  const ipam = { type: 'host-local', ranges: [[{ subnet: '10.95.0.0/24' }]] };
  const plugins = [{ type: 'ptp', mtu: 65535, ipam }];
  site.now.network('50-huge.conflist', { cniVersion: '1.0.0', name: 'huge', plugins });
  const { aci } = await tinyImages();
  const script = 'cat /sys/class/net/eth0/mtu; ping -c 1 -s 60000 10.95.0.1';
  const args = ['run', '--net=huge', aci.plain, '--cpu=2', '--exec=/bin/sh', '--', '-c', script];
  const { code, stdout } = await rkt.run(args);
  expect({ code, mtu: stdout.split('\n')[0] }).toEqual({ code: 0, mtu: '65535' });
});
