import { basename, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { artefacts, buildDir } from '../../tools/paths.ts';
import { labModules } from '../support/lab-vm/modules.ts';
import { bootLabVm, type LabVm } from '../support/lab-vm.ts';

// Kinds of interfaces that kernels of hosts may lack: the lab's has them all.

const MODULES = ['veth', 'bridge', 'dummy', '8021q', 'ipvlan', 'macvlan'];

describe('CNI plugins on a kernel that has every kind of interface', () => {
  let vm: LabVm;
  let busybox = '';
  const containers: string[] = [];

  beforeAll(async () => {
    const modules = await labModules(MODULES);
    vm = await bootLabVm();
    busybox = `${modules}/busybox`;
    await vm.sh(`sh ${modules}/load; mkdir -p /tmp/leases`);
    const ip = `${busybox} ip link`;
    await vm.sh(`${ip} add up0 type veth; ${ip} set up0 up; ${ip} set veth0 up`);
  });

  afterAll(() => {
    vm?.[Symbol.dispose]();
  });

  /** Another container; its namespace's path. */
  async function container(): Promise<string> {
    const name = `/tmp/netns-${containers.length}`;
    containers.push(name);
    await vm.sh(`touch ${name}; unshare --net=${name} true`);
    return name;
  }

  interface Answer {
    readonly code: number;
    readonly json: { readonly msg?: string; readonly ips?: readonly { readonly address: string }[] };
  }

  async function call(
    command: string,
    netns: string,
    config: { readonly type: string; readonly [key: string]: unknown },
  ): Promise<Answer> {
    const cni = `/build/${relative(buildDir, artefacts.cniDirectory)}`;
    const input = JSON.stringify({ cniVersion: '1.0.0', name: 'lab', ...config });
    const variables = `CNI_COMMAND=${command} CNI_CONTAINERID=${basename(netns)} CNI_NETNS=${netns} CNI_IFNAME=eth0 CNI_PATH=${cni}`;
    const script = `printf '%s' '${input}' | env ${variables} ${cni}/${config.type}`;
    const { code, stdout } = await vm.run(['sh', '-c', script]);
    return { code, json: stdout === '' ? {} : (JSON.parse(stdout) as Answer['json']) };
  }

  /** ADD, CHECK, what `look` shows in the container, and DEL after which there is nothing. */
  async function life(
    config: { readonly type: string; readonly [key: string]: unknown },
    look: string,
  ): Promise<string> {
    const netns = await container();
    const added = await call('ADD', netns, config);
    expect(added, JSON.stringify(added.json)).toMatchObject({ code: 0 });
    expect(await call('CHECK', netns, { ...config, prevResult: added.json })).toEqual({
      code: 0,
      json: {},
    });
    const shown = await inside(netns, look);
    for (const _ of ['first', 'again'])
      expect(await call('DEL', netns, config)).toEqual({ code: 0, json: {} });
    expect(await inside(netns, 'ls /proc/sys/net/ipv4/conf')).not.toContain('eth0');
    return shown;
  }

  const inside = (netns: string, script: string) => vm.sh(`nsenter --net=${netns} sh -c '${script}'`);
  const fixed = { type: 'static', addresses: [{ address: '10.4.0.9/24' }, { address: 'fd00:4::9/64' }] };
  const ipam = { type: 'host-local', dataDir: '/tmp/leases', subnet: '10.5.0.0/24' };

  test('dummy', async () => {
    const shown = await life({ type: 'dummy', ipam: fixed }, `${busybox} ip addr show dev eth0`);
    expect(shown).toMatch(
      /eth0: <BROADCAST,NOARP,UP,LOWER_UP>[\s\S]*inet 10\.4\.0\.9\/24[\s\S]*inet6 fd00:4::9\/64/,
    );
  });

  test('vlan', async () => {
    const config = { type: 'vlan', master: 'up0', vlanId: 5, mtu: 1400, ipam: fixed };
    const shown = await life(
      config,
      `${busybox} ip addr show dev eth0; ls /proc/net/vlan; head -1 /proc/net/vlan/eth0`,
    );
    expect(shown).toMatch(/mtu 1400[\s\S]*inet 10\.4\.0\.9\/24[\s\S]*eth0 +VID: 5/);
    expect((await call('ADD', await container(), { ...config, mtu: 9000 })).json).toMatchObject({
      code: 7,
    });
  });

  test.each(['l2', 'l3', 'l3s'])('ipvlan of mode %s', async (mode) => {
    const config = { type: 'ipvlan', master: 'up0', mode, ipam: fixed };
    const shown = await life(config, `${busybox} ip addr show dev eth0; cat /sys/class/net/up0/address`);
    const [, mac] = /link\/ether (\S+)/.exec(shown) ?? [];
    expect(shown.split('\n')).toContain(mac);
    const netns = await container();
    const { json } = await call('ADD', netns, config);
    const other = { ...config, mode: mode === 'l2' ? 'l3' : 'l2', prevResult: json };
    expect((await call('CHECK', netns, other)).json).toMatchObject({
      msg: expect.stringContaining('is no ipvlan of mode'),
    });
    await call('DEL', netns, config);
  });

  test('bridge with VLANs: containers of one reach each other, those of others not', async () => {
    const config = (more: object) => ({ type: 'bridge', bridge: 'br5', ipam, ...more });
    const attach = async (more: object) => {
      const netns = await container();
      const { code, json } = await call('ADD', netns, config(more));
      expect(code, JSON.stringify(json)).toBe(0);
      return { netns, address: json.ips?.[0]?.address.split('/')[0] ?? '' };
    };
    const reaches = async (from: { netns: string }, to: { address: string }) =>
      (await vm.run(['nsenter', `--net=${from.netns}`, busybox, 'ping', '-c', '1', '-W', '2', to.address]))
        .code === 0;
    const of5 = { vlan: 5, isGateway: true };
    const [first, second] = [await attach(of5), await attach({ ...of5, preserveDefaultVlan: false })];
    const sixth = await attach({ vlan: 6 });
    expect(await reaches(first, second)).toBe(true);
    expect(await reaches(second, first)).toBe(true);
    expect(await reaches(first, sixth)).toBe(false);
    // The gateway is of the first VLAN: the host is reached there, and from no other.
    expect(await vm.sh(`${busybox} ip addr show dev br5.5`)).toContain('10.5.0.1/24');
    expect(await reaches(first, { address: '10.5.0.1' })).toBe(true);
    expect(await reaches(sixth, { address: '10.5.0.1' })).toBe(false);
    const trunk = await attach({ vlanTrunk: [{ id: 5 }, { minID: 7, maxID: 9 }] });
    expect(await reaches(trunk, first)).toBe(false);
    await inside(
      trunk.netns,
      `${busybox} ip addr flush dev eth0; ${busybox} ip link add link eth0 name eth0.5 type vlan id 5; ${busybox} ip addr add 10.5.0.99/24 dev eth0.5; ${busybox} ip link set eth0.5 up`,
    );
    expect(await reaches(trunk, first)).toBe(true);
  });

  test('bridge with isolated ports: they reach the host, and not each other', async () => {
    const config = {
      type: 'bridge',
      bridge: 'br7',
      isGateway: true,
      portIsolation: true,
      ipam: { ...ipam, subnet: '10.7.0.0/24' },
    };
    const attach = async () => {
      const netns = await container();
      expect((await call('ADD', netns, config)).code).toBe(0);
      return netns;
    };
    const [first] = [await attach(), await attach()];
    const ping = async (address: string, seconds: number) =>
      (await vm.run(['nsenter', `--net=${first}`, busybox, 'ping', '-c', '1', '-W', `${seconds}`, address]))
        .code;
    expect([await ping('10.7.0.1', 60), await ping('10.7.0.3', 2)]).toEqual([0, 1]);
  });

  test('bridge that searches for others who have its IPv6 addresses, and one that stays down', async () => {
    const config = { type: 'bridge', bridge: 'br8', enabledad: true, ipam: fixed };
    const netns = await container();
    expect((await call('ADD', netns, config)).code).toBe(0);
    expect(await inside(netns, `${busybox} ip addr show dev eth0`)).toMatch(
      /inet6 fd00:4::9\/64 scope global (?!.*tentative)/,
    );
    const twice = await call('ADD', await container(), config);
    expect(twice.json).toMatchObject({ msg: 'somebody else has the address fd00:4::9' });
    const down = await container();
    expect(
      (await call('ADD', down, { type: 'bridge', bridge: 'br8', disableContainerInterface: true })).code,
    ).toBe(0);
    expect(await inside(down, `${busybox} ip link show dev eth0`)).not.toContain('UP');
  });
});
