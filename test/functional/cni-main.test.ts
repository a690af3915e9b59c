import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CniChain, PLUGIN_SETS, type PluginConfig } from '../support/cni-chain.ts';
import { NetworkHost } from '../support/network-host.ts';
import { addressesOf, leasesOf, leftOn, linkOf, linksOf, routesOf } from '../support/network-look.ts';
import { type Machines, withMachines } from '../support/network-machines.ts';
import { eventually } from '../support/polling.ts';

const OURS = PLUGIN_SETS[0].of;
const V4 = [{ subnet: '10.1.2.0/24' }];
const V6 = [{ subnet: 'fd00:1::/64' }];
const ipam = (...ranges: readonly object[]) => ({
  type: 'host-local',
  ranges,
  routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }].slice(0, ranges.length),
});

describe.each(PLUGIN_SETS)('by $of', ({ of, directory }) => {
  const chain = ({ host, container }: Pick<Machines, 'host' | 'container'>, ...plugins: PluginConfig[]) =>
    new CniChain(host, container, directory, plugins);

  test('loopback is up, and down after', () =>
    withMachines(async ({ host, container }) => {
      await container.ip('link set lo down');
      const network = chain({ host, container }, { type: 'loopback' });
      const result = await network.add();
      expect(result.ips?.map(({ address }) => address)).toEqual(['127.0.0.1/8', '::1/128']);
      await network.check();
      await network.del();
      await network.del();
      expect(await container.run('ip', '-br', 'link', 'show', 'lo')).toMatch(/DOWN/);
    }));

  test('ptp: a container has the host as its only neighbour, and its way to all others', () =>
    withMachines(async ({ host, container }) => {
      const network = chain({ host, container }, { type: 'ptp', mtu: 1400, ipam: ipam(V4) });
      const result = await network.add();
      expect(result.ips).toEqual([{ interface: 1, address: '10.1.2.2/24', gateway: '10.1.2.1' }]);
      expect(result.interfaces?.[1]).toMatchObject({ name: 'eth0', sandbox: container.netns });
      expect(await addressesOf(container, 'eth0')).toEqual(['10.1.2.2/24']);
      expect(await routesOf(container)).toEqual([
        '10.1.2.0/24 via 10.1.2.1 dev eth0 src 10.1.2.2',
        '10.1.2.1 dev eth0 src 10.1.2.2',
        'default via 10.1.2.1 dev eth0',
      ]);
      expect((await linkOf(container, 'eth0'))?.mtu).toBe(1400);
      const outer = result.interfaces?.[0]?.name ?? '';
      expect(await addressesOf(host, outer)).toEqual(['10.1.2.1/32']);
      expect(await routesOf(host)).toContain(`10.1.2.2 dev ${outer}`);
      expect(await leasesOf(host)).toEqual(['10.1.2.2']);
      await network.check();
      await reaches(host, container, '10.1.2.2');
      await reaches(container, host, '10.1.2.1');
      await network.del();
      await network.del();
      expect(await leftOn(host)).toEqual([]);
      expect(await linksOf(container)).toEqual([]);
    }));

  test('ptp with both families, masqueraded: outside sees the host', () =>
    withMachines(async ({ host, container, outside }) => {
      const network = chain({ host, container }, { type: 'ptp', ipMasq: true, ipam: ipam(V4, V6) });
      await network.add();
      expect(await addressesOf(container, 'eth0')).toEqual(['10.1.2.2/24', 'fd00:1::2/64']);
      expect(await routesOf(container)).toEqual(
        expect.arrayContaining(['default via 10.1.2.1 dev eth0', 'default via fd00:1::1 dev eth0']),
      );
      expect(await seenAs(container, outside, '192.0.2.2')).toBe('192.0.2.1');
      expect(await seenAs(container, outside, '2001:db8::2')).toBe('2001:db8::1');
      await network.del();
      expect(await leftOn(host)).toEqual([]);
    }));

  test('bridge: containers of one link reach each other and, by the gateway, outside', () =>
    withMachines(async ({ host, container, outside }) => {
      const config = {
        type: 'bridge',
        bridge: 'br1',
        isDefaultGateway: true,
        ipMasq: true,
        ipam: { ...ipam(V4, V6), routes: [] },
      };
      const network = chain({ host, container }, config);
      const result = await network.add();
      expect(result.interfaces?.map(({ name }) => name)).toEqual([
        'br1',
        expect.stringMatching(/^veth/),
        'eth0',
      ]);
      expect(result.ips).toEqual([
        { interface: 2, address: '10.1.2.2/24', gateway: '10.1.2.1' },
        { interface: 2, address: 'fd00:1::2/64', gateway: 'fd00:1::1' },
      ]);
      expect((await addressesOf(host, 'br1')).sort()).toEqual(['10.1.2.1/24', 'fd00:1::1/64']);
      expect((await linkOf(host, result.interfaces?.[1]?.name ?? ''))?.master).toBe('br1');
      expect(await routesOf(container)).toEqual([
        '10.1.2.0/24 dev eth0 src 10.1.2.2',
        'default via 10.1.2.1 dev eth0',
        'default via fd00:1::1 dev eth0',
        'fd00:1::/64 dev eth0',
      ]);
      await network.check();
      const other = await NetworkHost.start();
      try {
        const second = new CniChain(host, other, directory, [config], { containerId: 'container2' });
        await second.add();
        expect(await seenAs(container, other, '10.1.2.3')).toBe('10.1.2.2');
        await second.del();
      } finally {
        await other[Symbol.asyncDispose]();
      }
      expect(await seenAs(container, outside, '192.0.2.2')).toBe('192.0.2.1');
      await network.del();
      await network.del();
      expect(await leftOn(host)).toEqual([]);
    }));

  test('bridge: hairpin, promiscuous, the mac of the runtime, and no address that is in the way', () =>
    withMachines(async ({ host, container }) => {
      const mac = '02:11:22:33:44:55';
      const config = { type: 'bridge', bridge: 'br1', isGateway: true, ipam: ipam(V4) };
      const hairpin = chain({ host, container }, { ...config, hairpinMode: true, runtimeConfig: { mac } });
      const { interfaces } = await hairpin.add();
      expect((await linkOf(container, 'eth0'))?.address).toBe(mac);
      const port = await linkOf(host, interfaces?.[1]?.name ?? '');
      expect(port?.linkinfo?.info_slave_data?.hairpin).toBe(true);
      await hairpin.del();

      const promiscuous = chain({ host, container }, { ...config, promiscMode: true });
      await promiscuous.add();
      expect((await linkOf(host, 'br1'))?.promiscuity).toBeGreaterThan(0);
      await promiscuous.del();
      expect(
        await promiscuous.refusal(() =>
          chain({ host, container }, { ...config, hairpinMode: true, promiscMode: true }).add(),
        ),
      ).toMatch(/"code": ?\d+/);

      const moved = { ...config, ipam: ipam([{ subnet: '10.7.0.0/16' }]) };
      const refused = chain({ host, container }, moved);
      expect(await refused.refusal(() => refused.add())).toContain('10.7.0.1/16');
      await refused.del();
      expect(await leasesOf(host)).toEqual([]);
      const forced = chain({ host, container }, { ...moved, forceAddress: true });
      await forced.add();
      expect(await addressesOf(host, 'br1')).toEqual(['10.7.0.1/16']);
      await forced.del();
      expect(await leftOn(host)).toEqual([]);
    }));

  test('bridge: containers that come at once get one bridge, an address each, and rules of their own', () =>
    withMachines(async ({ host }) => {
      const paths = Array.from({ length: 12 }, (_, index) => `/run/at-once-${index}`);
      for (const path of paths) await host.run('sh', '-c', `touch ${path} && unshare --net=${path} true`);
      const config = { type: 'bridge', bridge: 'br1', isGateway: true, ipMasq: true, ipam: ipam(V4) };
      const all = (command: string) =>
        Promise.all(
          paths.map((path, index) =>
            host.try(
              [join(directory, 'bridge')],
              JSON.stringify({ cniVersion: '1.0.0', name: 'tested', ...config }),
              {
                CNI_COMMAND: command,
                CNI_CONTAINERID: `at-once-${index}`,
                CNI_NETNS: path,
                CNI_IFNAME: 'eth0',
                CNI_PATH: directory,
              },
            ),
          ),
        );
      const added = await all('ADD');
      expect(added.map(({ exitCode }) => exitCode)).toEqual(paths.map(() => 0));
      expect(new Set(await leasesOf(host)).size).toBe(paths.length);
      const ports = (await linksOf(host)).filter(({ master }) => master === 'br1');
      expect(ports).toHaveLength(paths.length);
      const masquerades = (await leftOn(host)).filter((line) => line.includes('masquerade'));
      expect(masquerades).toHaveLength(paths.length);
      expect((await all('DEL')).map(({ exitCode }) => exitCode)).toEqual(paths.map(() => 0));
      expect(await leftOn(host)).toEqual([]);
    }));

  test('bridge: what comes under another hardware address goes no further', () =>
    withMachines(async ({ host, container }) => {
      const config = {
        type: 'bridge',
        bridge: 'br1',
        isGateway: true,
        macspoofchk: true,
        ipam: { type: 'static', addresses: [{ address: '10.1.2.2/24', gateway: '10.1.2.1' }] },
      };
      const network = chain({ host, container }, config);
      await network.add();
      await reaches(container, host, '10.1.2.1');
      await container.ip('link set eth0 address 02:00:00:00:00:99');
      expect(await seenAs(container, host, '10.1.2.1', true)).not.toBe('10.1.2.2');
      await network.del();
      await network.del();
      expect(await host.run('nft', 'list', 'ruleset')).not.toContain('02:00:00:00:00:99');
      expect(await host.run('nft', 'list', 'ruleset')).not.toMatch(/saddr !=/);
    }));

  test('bridge without ipam: a link, and no addresses', () =>
    withMachines(async ({ host, container }) => {
      const network = chain({ host, container }, { type: 'bridge', bridge: 'br1' });
      expect((await network.add()).ips ?? []).toEqual([]);
      expect(await addressesOf(container, 'eth0')).toEqual([]);
      expect((await linkOf(container, 'eth0'))?.flags).toContain('UP');
      await network.del();
    }));

  test.each(['bridge', 'private', 'vepa', 'passthru'])('macvlan of mode %s, with a mac of CNI_ARGS', (mode) =>
    withMachines(async ({ host, container }) => {
      const mac = '02:11:22:33:44:66';
      const fixed = { type: 'static', addresses: [{ address: '192.0.2.9/24', gateway: '192.0.2.1' }] };
      const config = {
        type: 'macvlan',
        master: 'up0',
        mode,
        mtu: 1300,
        ipam: { ...fixed, routes: [{ dst: '10.0.0.0/8', gw: '192.0.2.1' }] },
      };
      const network = new CniChain(host, container, directory, [config], {
        args: `IgnoreUnknown=1;MAC=${mac}`,
      });
      // Of passthru Debian's leave the parent's.
      const expected = mode === 'passthru' && of !== OURS ? (await linkOf(host, 'up0'))?.address : mac;
      await network.add();
      expect(await linkOf(container, 'eth0')).toMatchObject({
        address: expected,
        mtu: 1300,
        linkinfo: { info_kind: 'macvlan', info_data: { mode } },
      });
      expect(await routesOf(container)).toEqual([
        '10.0.0.0/8 via 192.0.2.1 dev eth0',
        '192.0.2.0/24 dev eth0 src 192.0.2.9',
      ]);
      await network.check();
      await network.del();
      await network.del();
      expect(await linksOf(container)).toEqual([]);
    }),
  );

  test('macvlan takes the interface of the default route, and no larger mtu than it has', () =>
    withMachines(async ({ host, container, outside }) => {
      await host.ip('route add default via 192.0.2.2 dev up0');
      const fixed = { type: 'static', addresses: [{ address: '192.0.2.9/24' }] };
      const network = chain({ host, container }, { type: 'macvlan', ipam: fixed });
      await network.add();
      expect(await seenAs(container, outside, '192.0.2.2')).toBe('192.0.2.9');
      await network.del();
      const large = chain({ host, container }, { type: 'macvlan', mtu: 9000, ipam: fixed });
      expect(await large.refusal(() => large.add())).toContain('9000');
      expect(await linksOf(container)).toEqual([]);
    }));

  test("host-device: an interface of the host is the container's, and comes back under its name", () =>
    withMachines(async ({ host, container }) => {
      await host.ip('link add spare0 type veth peer name spare1');
      const mac = (await linkOf(host, 'spare1'))?.address ?? '';
      for (const how of [{ device: 'spare1' }, { hwaddr: mac }]) {
        const fixed = { type: 'static', addresses: [{ address: '192.0.2.9/24' }] };
        const network = chain({ host, container }, { type: 'host-device', ...how, ipam: fixed });
        await network.add();
        expect(await linkOf(host, 'spare1')).toBeUndefined();
        expect((await linkOf(container, 'eth0'))?.address).toBe(mac);
        expect(await addressesOf(container, 'eth0')).toEqual(['192.0.2.9/24']);
        await network.check();
        await network.del();
        expect((await linkOf(host, 'spare1'))?.address).toBe(mac);
      }
    }));

  test('DEL succeeds when the namespace has gone, and gives the address back', () =>
    withMachines(async ({ host }) => {
      const container = await NetworkHost.start();
      const network = chain({ host, container }, { type: 'ptp', ipMasq: true, ipam: ipam(V4) });
      await network.add();
      await container[Symbol.asyncDispose]();
      await network.del();
      expect(await leasesOf(host)).toEqual([]);
      // Debian's find their rules by addresses that they read in the namespace.
      if (of === OURS)
        await eventually(
          'the kernel has taken the cable away',
          async () => (await leftOn(host)).length === 0,
        );
    }));

  test.each(['ptp', 'bridge'])('%s: an ADD too many takes nothing from the container', (type) =>
    withMachines(async ({ host, container, outside }) => {
      const network = chain({ host, container }, { type, isGateway: true, ipMasq: true, ipam: ipam(V4) });
      await network.add();
      expect(await network.refusal(() => network.add())).toMatch(/"code": ?\d+/);
      expect(await leasesOf(host)).toEqual(['10.1.2.2']);
      expect(await seenAs(container, outside, '192.0.2.2')).toBe('192.0.2.1');
      await network.del();
      expect(await leftOn(host)).toEqual([]);
    }),
  );

  test('a failed ADD leaves nothing', () =>
    withMachines(async ({ host, container }) => {
      await container.ip('link add eth0 type veth peer name other');
      for (const config of [{ type: 'ptp' }, { type: 'bridge' }]) {
        const network = chain({ host, container }, { ...config, ipam: ipam(V4) });
        expect(await network.refusal(() => network.add())).toMatch(/"code": ?\d+/);
        expect(await leftOn(host)).toEqual([]);
      }
      expect((await linksOf(container)).length).toBe(2);
    }));

  test("the ipam plugin may be anybody's: its result is used, its error passed on", () =>
    withMachines(async ({ host, container }) => {
      const good = `{"cniVersion":"1.0.0","ips":[{"address":"10.66.0.5/16","gateway":"10.66.0.1"}],"dns":{"nameservers":["10.66.0.53"]}}`;
      const bad = `{"cniVersion":"1.0.0","code":123,"msg":"no more","details":"sold out"}`;
      await host.run('sh', '-c', 'mkdir -p /run/plugins');
      const script = (name: string, body: string) =>
        host.run(
          'sh',
          '-c',
          `printf '#!/bin/sh\\n%s\\n' "$1" > /run/plugins/${name}; chmod +x /run/plugins/${name}`,
          'sh',
          body,
        );
      await script(
        'good',
        `cat > /run/given; env > /run/env-$CNI_COMMAND; test $CNI_COMMAND = DEL || echo '${good}'`,
      );
      await script('bad', `cat > /dev/null; echo '${bad}'; exit 1`);
      const call = async (command: string, type: string) => {
        const config = { cniVersion: '1.0.0', name: 'tested', type: 'ptp', ipam: { type } };
        return host.try([join(directory, 'ptp')], JSON.stringify(config), {
          CNI_COMMAND: command,
          CNI_CONTAINERID: 'container1',
          CNI_NETNS: container.netns,
          CNI_IFNAME: 'eth0',
          CNI_PATH: `/nowhere:/run/plugins:${directory}`,
          CNI_ARGS: 'A=B',
        });
      };
      const added = await call('ADD', 'good');
      expect(JSON.parse(added.stdout)).toMatchObject({
        ips: [{ address: '10.66.0.5/16', gateway: '10.66.0.1', interface: 1 }],
        dns: { nameservers: ['10.66.0.53'] },
      });
      expect(await host.run('cat', '/run/env-ADD')).toMatch(/CNI_ARGS=A=B[\s\S]*|CNI_COMMAND=ADD/);
      expect(JSON.parse(await host.run('cat', '/run/given'))).toMatchObject({
        name: 'tested',
        ipam: { type: 'good' },
      });
      expect((await call('DEL', 'good')).exitCode).toBe(0);
      expect(await host.run('cat', '/run/env-DEL')).toContain('CNI_COMMAND=DEL');
      const failed = await call('ADD', 'bad');
      expect(failed.exitCode).toBe(1);
      expect(JSON.parse(failed.stdout)).toMatchObject({ code: 123, details: 'sold out' });
      expect(JSON.parse(failed.stdout).msg).toContain('no more');
      expect(await linksOf(container)).toEqual([]);
    }));
});

const PORT = 8080;

/** The address that a server on one machine is asked from by another. */
async function seenAs(
  client: NetworkHost,
  server: NetworkHost,
  address: string,
  briefly = false,
): Promise<string> {
  const endpoint = { protocol: 'tcp', address, port: PORT } as const;
  await server.ask({ ...endpoint, do: 'serve' });
  return client.ask({ ...endpoint, do: 'ask', briefly });
}

async function reaches(client: NetworkHost, server: NetworkHost, address: string): Promise<void> {
  expect(await seenAs(client, server, address)).toMatch(/^[0-9a-f.:]+$/);
}
