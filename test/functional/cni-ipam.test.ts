import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { artefacts } from '../../tools/paths.ts';
import { PLUGIN_SETS, type PluginSet } from '../support/cni-chain.ts';
import { NetworkHost, type Output } from '../support/network-host.ts';
import { addressesOf, leasesOf, leftOn, linksOf, routesOf } from '../support/network-look.ts';
import { withMachines } from '../support/network-machines.ts';

const [OURS, DEBIANS] = PLUGIN_SETS;
const VERSIONS = ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0'];

type Variables = Readonly<Record<string, string>>;

interface Call {
  readonly set?: PluginSet;
  readonly command?: string;
  readonly id?: string;
  readonly env?: Variables;
  readonly more?: object;
}

/** ipam plugins do nothing to namespaces: one machine is enough, and any path will do. */
async function onHost(action: (host: NetworkHost) => Promise<void>): Promise<void> {
  const host = await NetworkHost.start();
  try {
    await action(host);
  } finally {
    await host[Symbol.asyncDispose]();
  }
}

function ask(host: NetworkHost, ipam: { readonly type: string }, call: Call = {}): Promise<Output> {
  const { set = OURS, command = 'ADD', id = 'container1', env = {}, more = {} } = call;
  const config = { cniVersion: '1.0.0', name: 'tested', type: 'ptp', ipam, ...more };
  return host.try([join(set.directory, ipam.type)], JSON.stringify(config), {
    CNI_COMMAND: command,
    CNI_CONTAINERID: id,
    CNI_NETNS: '/proc/1/ns/net',
    CNI_IFNAME: 'eth0',
    CNI_PATH: set.directory,
    ...env,
  });
}

/** What came of it: the addresses, or the error. */
async function addresses(
  host: NetworkHost,
  ipam: { readonly type: string },
  call: Call = {},
): Promise<unknown> {
  const { stdout, exitCode } = await ask(host, ipam, call);
  const answer = JSON.parse(stdout) as {
    readonly ips?: readonly { readonly address: string }[];
    readonly msg?: string;
  };
  return exitCode === 0 ? answer.ips?.map(({ address }) => address) : `refused: ${answer.msg}`;
}

const local = (more: object) => ({ type: 'host-local', ...more });

describe.each(PLUGIN_SETS)('host-local by $of', (set) => {
  test('gives addresses in turn, skips what is taken and the gateway, and ends with an error', () =>
    onHost(async (host) => {
      const ipam = local({
        ranges: [[{ subnet: '10.1.2.0/24', rangeStart: '10.1.2.1', rangeEnd: '10.1.2.4' }]],
      });
      const add = (id: string) => addresses(host, ipam, { set, id });
      const del = (id: string) => ask(host, ipam, { set, id, command: 'DEL' });
      expect([await add('a'), await add('b')]).toEqual([['10.1.2.2/24'], ['10.1.2.3/24']]);
      await del('a');
      // Not the one that was given back just now.
      expect([await add('c'), await add('d')]).toEqual([['10.1.2.4/24'], ['10.1.2.2/24']]);
      expect(await add('e')).toMatch(/^refused: /);
      expect(await leasesOf(host)).toEqual(['10.1.2.2', '10.1.2.3', '10.1.2.4']);
      await del('b');
      expect(await add('e')).toEqual(['10.1.2.3/24']);
      // Twice for one interface is a mistake of the runtime's.
      expect(await add('e')).toMatch(/^refused: .*10\.1\.2\.3/);
      expect(
        (await ask(host, ipam, { set, id: 'e', command: 'CHECK', more: { prevResult: {} } })).exitCode,
      ).toBe(0);
      for (const id of ['c', 'd', 'e', 'e']) await del(id);
      expect(
        (await ask(host, ipam, { set, id: 'e', command: 'CHECK', more: { prevResult: {} } })).exitCode,
      ).toBe(1);
      expect(await leasesOf(host)).toEqual([]);
    }));

  test('gives both families, with gateways, routes and the names of a resolv.conf', () =>
    onHost(async (host) => {
      await host.run(
        'sh',
        '-c',
        'printf "nameserver 10.0.0.53\\nnameserver fd00::53\\nsearch a.example b.example\\noptions ndots:2\\n" > /run/resolv.conf',
      );
      const ipam = local({
        ranges: [[{ subnet: '10.1.2.0/24', gateway: '10.1.2.254' }], [{ subnet: 'fd00:1::/64' }]],
        routes: [{ dst: '0.0.0.0/0' }, { dst: 'fd00::/8', gw: 'fd00:1::9' }],
        resolvConf: '/run/resolv.conf',
        dataDir: '/run/leases',
      });
      expect(JSON.parse((await ask(host, ipam, { set })).stdout)).toEqual({
        cniVersion: '1.0.0',
        ips: [
          { address: '10.1.2.1/24', gateway: '10.1.2.254' },
          { address: 'fd00:1::2/64', gateway: 'fd00:1::1' },
        ],
        routes: [{ dst: '0.0.0.0/0' }, { dst: 'fd00::/8', gw: 'fd00:1::9' }],
        dns: {
          nameservers: ['10.0.0.53', 'fd00::53'],
          search: ['a.example', 'b.example'],
          options: ['ndots:2'],
        },
      });
      expect((await host.run('ls', '/run/leases/tested')).split('\n').sort()).toEqual(
        ['10.1.2.1', 'fd00:1::2', 'last_reserved_ip.0', 'last_reserved_ip.1', 'lock'].sort(),
      );
    }));

  test('gives the address that is asked for, by CNI_ARGS, args and the capability, and by no other way', () =>
    onHost(async (host) => {
      const ipam = local({ ranges: [[{ subnet: '10.1.2.0/24' }]] });
      const add = (id: string, call: Call) => addresses(host, ipam, { set, id, ...call });
      expect(await add('a', { env: { CNI_ARGS: 'IP=10.1.2.77' } })).toEqual(['10.1.2.77/24']);
      expect(await add('b', { more: { args: { cni: { ips: ['10.1.2.78'] } } } })).toEqual(['10.1.2.78/24']);
      expect(await add('c', { more: { runtimeConfig: { ips: ['10.1.2.79/24'] } } })).toEqual([
        '10.1.2.79/24',
      ]);
      for (const wanted of ['10.1.2.77', '10.1.2.1', '10.9.9.9', 'rubbish'])
        expect(await add('d', { env: { CNI_ARGS: `IP=${wanted}` } }), wanted).toMatch(/^refused: /);
      expect(await leasesOf(host)).toEqual(['10.1.2.77', '10.1.2.78', '10.1.2.79']);
      const ranges = [[{ subnet: '10.66.0.0/16' }]];
      expect(
        await addresses(host, local({}), { set, id: 'e', more: { runtimeConfig: { ipRanges: ranges } } }),
      ).toEqual(['10.66.0.2/16']);
    }));

  test.each([
    [{}],
    [{ subnet: '10.1.2.0/31' }],
    [{ subnet: '10.1.2.3/24' }],
    [{ subnet: '10.1.2.0/24', rangeStart: '10.1.3.1' }],
    [{ subnet: '10.1.2.0/24', rangeStart: '10.1.2.9', rangeEnd: '10.1.2.3' }],
    [{ ranges: [[{ subnet: '10.1.2.0/24' }, { subnet: 'fd00::/64' }]] }],
    [{ ranges: [[{ subnet: '10.1.2.0/24' }], [{ subnet: '10.1.0.0/16' }]] }],
    [{ subnet: 'ten' }],
  ])('refuses %j', (more) =>
    onHost(async (host) => {
      expect(await addresses(host, local(more), { set })).toMatch(/^refused: /);
      expect(await leasesOf(host)).toEqual([]);
    }),
  );

  test('gives no address twice to containers that come at once', () =>
    onHost(async (host) => {
      const ipam = local({ subnet: '10.1.2.0/24' });
      const ids = Array.from({ length: 30 }, (_, index) => `at-once-${index}`);
      const given = await Promise.all(ids.map((id) => addresses(host, ipam, { set, id })));
      expect(new Set(given.flat()).size).toBe(ids.length);
      await Promise.all(ids.map((id) => ask(host, ipam, { set, id, command: 'DEL' })));
      expect(await leasesOf(host)).toEqual([]);
    }));
});

describe("host-local on one directory with Debian's", () => {
  test('both know what the other has given, and take it back', () =>
    onHost(async (host) => {
      const ipam = local({ ranges: [[{ subnet: '10.1.2.0/24' }], [{ subnet: 'fd00:1::/64' }]] });
      const add = (set: PluginSet, id: string) => addresses(host, ipam, { set, id });
      expect(await add(OURS, 'a')).toEqual(['10.1.2.2/24', 'fd00:1::2/64']);
      expect(await add(DEBIANS, 'b')).toEqual(['10.1.2.3/24', 'fd00:1::3/64']);
      expect(await add(OURS, 'c')).toEqual(['10.1.2.4/24', 'fd00:1::4/64']);
      const file = async (name: string) => host.run('od', '-c', `/var/lib/cni/networks/tested/${name}`);
      expect((await file('10.1.2.2')).replace(' a ', ' b ')).toBe(await file('10.1.2.3'));
      await ask(host, ipam, { set: DEBIANS, id: 'a', command: 'DEL' });
      await ask(host, ipam, { set: OURS, id: 'b', command: 'DEL' });
      expect(await leasesOf(host)).toEqual(['10.1.2.4', 'fd00:1::4']);
      const ids = Array.from({ length: 20 }, (_, index) => `mixed-${index}`);
      const given = await Promise.all(ids.map((id, index) => add(PLUGIN_SETS[index % 2] ?? OURS, id)));
      expect(new Set(given.flat()).size).toBe(2 * ids.length);
    }));
});

describe.each(PLUGIN_SETS)('static by $of', (set) => {
  const fixed = (more: object) => ({ type: 'static', ...more });

  test('gives what is configured, or what is asked for instead', () =>
    onHost(async (host) => {
      const ipam = fixed({
        addresses: [{ address: '10.1.2.3/24', gateway: '10.1.2.1' }, { address: 'fd00::3/64' }],
        routes: [{ dst: '0.0.0.0/0', gw: '10.1.2.1' }],
        dns: { nameservers: ['10.1.2.53'], domain: 'a.example', search: ['b.example'] },
      });
      expect(JSON.parse((await ask(host, ipam, { set })).stdout)).toEqual({
        cniVersion: '1.0.0',
        ips: [{ address: '10.1.2.3/24', gateway: '10.1.2.1' }, { address: 'fd00::3/64' }],
        routes: [{ dst: '0.0.0.0/0', gw: '10.1.2.1' }],
        dns: { nameservers: ['10.1.2.53'], domain: 'a.example', search: ['b.example'] },
      });
      expect(
        await addresses(host, fixed({}), { set, env: { CNI_ARGS: 'IP=10.1.2.7/24;GATEWAY=10.1.2.1' } }),
      ).toEqual(['10.1.2.7/24']);
      expect(await addresses(host, ipam, { set, more: { runtimeConfig: { ips: ['10.1.2.8/24'] } } })).toEqual(
        ['10.1.2.8/24'],
      );
      expect(await addresses(host, ipam, { set, more: { args: { cni: { ips: ['10.1.2.9/24'] } } } })).toEqual(
        ['10.1.2.9/24'],
      );
      expect((await ask(host, ipam, { set, command: 'DEL' })).exitCode).toBe(0);
      expect(await addresses(host, fixed({ addresses: [{ address: '10.1.2.3' }] }), { set })).toMatch(
        /^refused: /,
      );
    }));
});

describe('versions', () => {
  const ipam = {
    type: 'host-local',
    ranges: [[{ subnet: '10.1.2.0/24' }], [{ subnet: 'fd00::/64' }]],
    routes: [{ dst: '10.0.0.0/8' }],
  };

  test.each(VERSIONS)("%s: our result is Debian's", (cniVersion) =>
    withMachines(async ({ host, container }) => {
      const [ours, debians] = [await add(OURS), await add(DEBIANS)];
      expect(ours).toEqual(debians);

      async function add(set: PluginSet): Promise<unknown> {
        const env = { CNI_NETNS: container.netns };
        const config = { cniVersion, name: 'tested', type: 'bridge', bridge: 'br1', isGateway: true, ipam };
        const call = (command: string) =>
          host.try([join(set.directory, 'bridge')], JSON.stringify(config), {
            ...env,
            CNI_COMMAND: command,
            CNI_CONTAINERID: 'container1',
            CNI_IFNAME: 'eth0',
            CNI_PATH: set.directory,
          });
        const { stdout, exitCode } = await call('ADD');
        expect(exitCode, stdout).toBe(0);
        expect((await call('DEL')).exitCode).toBe(0);
        await host.run('rm', '-rf', '/var/lib/cni/networks');
        return JSON.parse(
          stdout.replaceAll(/veth[0-9a-f]+|"mac": ?"[0-9a-f:]+"/g, (found) =>
            found.startsWith('v') ? 'veth' : '"mac":""',
          ),
        );
      }
    }),
  );

  test('1.1.0: mtu of interfaces, and all of a route', () =>
    withMachines(async ({ host, container }) => {
      const route = { dst: '10.9.0.0/16', mtu: 1300, advmss: 1200, priority: 7, table: 100 };
      const config = {
        cniVersion: '1.1.0',
        name: 'tested',
        type: 'ptp',
        mtu: 1400,
        ipam: { ...ipam, routes: [route] },
      };
      const env = {
        CNI_COMMAND: 'ADD',
        CNI_CONTAINERID: 'c',
        CNI_NETNS: container.netns,
        CNI_IFNAME: 'eth0',
        CNI_PATH: OURS.directory,
      };
      const { stdout } = await host.try([join(OURS.directory, 'ptp')], JSON.stringify(config), env);
      const result = JSON.parse(stdout);
      expect(result).toMatchObject({ cniVersion: '1.1.0', routes: [route] });
      expect(result.interfaces.map(({ mtu }: { readonly mtu: number }) => mtu)).toEqual([1400, 1400]);
      expect(await container.run('ip', 'route', 'show', 'table', '100')).toMatch(
        /^10\.9\.0\.0\/16 via 10\.1\.2\.1 dev eth0 .*metric 7 mtu 1300 advmss 1200/,
      );
      expect(await routesOf(container)).toHaveLength(4);
      expect(await addressesOf(container, 'eth0')).toHaveLength(2);
      const again = JSON.stringify({ ...config, prevResult: result });
      expect(
        (await host.try([join(OURS.directory, 'ptp')], again, { ...env, CNI_COMMAND: 'CHECK' })).exitCode,
      ).toBe(0);
      await container.ip('addr del 10.1.2.2/24 dev eth0');
      const { stdout: differs, exitCode } = await host.try([join(OURS.directory, 'ptp')], again, {
        ...env,
        CNI_COMMAND: 'CHECK',
      });
      expect([exitCode, JSON.parse(differs).msg]).toEqual([
        1,
        'interface eth0 lacks the address 10.1.2.2/24',
      ]);
    }));
});

describe('what 1.1 has new, and errors', () => {
  const config = {
    cniVersion: '1.1.0',
    name: 'tested',
    type: 'ptp',
    ipMasq: true,
    ipam: { type: 'host-local', subnet: '10.1.2.0/29' },
  };
  const env = (command: string, more: Variables = {}) => ({
    CNI_COMMAND: command,
    CNI_PATH: OURS.directory,
    ...more,
  });
  const run = (host: NetworkHost, input: unknown, variables: Variables, type = 'ptp') =>
    host.try(
      [join(OURS.directory, type)],
      typeof input === 'string' ? input : JSON.stringify(input),
      variables,
    );

  test('GC takes away what belongs to nobody that is valid, leases and rules, and nothing else', () =>
    withMachines(async ({ host, container, outside }) => {
      const attach = (id: string, netns: string) =>
        run(host, config, env('ADD', { CNI_CONTAINERID: id, CNI_NETNS: netns, CNI_IFNAME: 'eth0' }));
      expect((await attach('stays', container.netns)).exitCode).toBe(0);
      expect((await attach('goes', outside.netns)).exitCode).not.toBe(0); // It has an eth0.
      await outside.ip('link set eth0 down', 'link set eth0 name up0');
      expect((await attach('goes', outside.netns)).exitCode).toBe(0);
      expect(await leasesOf(host)).toEqual(['10.1.2.2', '10.1.2.4']);
      const valid = { 'cni.dev/valid-attachments': [{ containerID: 'stays', ifname: 'eth0' }] };
      expect(await run(host, config, env('GC'))).toMatchObject({ exitCode: 0 });
      expect(await leasesOf(host)).toHaveLength(2);
      expect(await run(host, { ...config, ...valid }, env('GC'))).toMatchObject({ exitCode: 0, stdout: '' });
      expect(await leasesOf(host)).toEqual(['10.1.2.2']);
      const rules = (await leftOn(host)).filter((line) => line.includes('masquerade'));
      expect(rules.join('\n')).toMatch(/10\.1\.2\.2/);
      expect(rules.join('\n')).not.toMatch(/10\.1\.2\.4/);
    }));

  test('STATUS tells when no address is left, with the code for it', () =>
    onHost(async (host) => {
      const small = { ...config, ipam: { type: 'host-local', subnet: '10.1.2.0/30' } };
      expect(await run(host, small, env('STATUS'))).toMatchObject({ exitCode: 0, stdout: '' });
      await run(
        host,
        small,
        env('ADD', { CNI_CONTAINERID: 'a', CNI_NETNS: '/proc/1/ns/net', CNI_IFNAME: 'eth0' }),
        'host-local',
      );
      const { stdout, exitCode } = await run(host, small, env('STATUS'));
      expect([exitCode, JSON.parse(stdout).code]).toEqual([1, 50]);
      const wrong = { ...config, ipam: { type: 'host-local', ranges: [[{ subnet: 5 }]] } };
      expect((await run(host, wrong, env('STATUS'))).stdout).toContain(
        'ranges[0][0].subnet: expected a string',
      );
      expect((await run(host, { ...config, ipam: { type: 'gone' } }, env('STATUS'))).stdout).toContain(
        "'gone' is not in CNI_PATH",
      );
    }));

  test('VERSION needs no configuration, and a call by hand says what it is', () =>
    onHost(async (host) => {
      expect(JSON.parse((await run(host, '', env('VERSION'))).stdout)).toEqual({
        cniVersion: '1.1.0',
        supportedVersions: [...VERSIONS, '1.1.0'],
      });
      expect(await run(host, '', {})).toMatchObject({ exitCode: 0, stdout: '' });
      expect(await host.try([artefacts.cniPlugins], '', env('ADD'))).toMatchObject({ exitCode: 2 });
    }));

  const ADD = { CNI_CONTAINERID: 'a', CNI_NETNS: '/proc/self/ns/nothing', CNI_IFNAME: 'eth0' };
  test.each([
    ['no configuration', '', ADD, 6],
    ['no JSON', '{"name', ADD, 6],
    ['a version to come', { ...config, cniVersion: '9.0.0' }, ADD, 1],
    ['no name', { ...config, name: '' }, ADD, 7],
    ['a name that leaves the directory', { ...config, name: '../../etc' }, ADD, 7],
    ['a field of a wrong kind', { ...config, ipMasq: 'yes' }, ADD, 7],
    ['an unknown backend', { ...config, ipMasqBackend: 'ipfw' }, ADD, 7],
    ['no container', config, { ...ADD, CNI_CONTAINERID: '' }, 4],
    ['a container that leaves the directory', config, { ...ADD, CNI_CONTAINERID: '../a' }, 4],
    ['a long name of an interface', config, { ...ADD, CNI_IFNAME: 'sixteen-letters-' }, 4],
    ['an interface with a slash', config, { ...ADD, CNI_IFNAME: 'a/b' }, 4],
    ['CNI_ARGS of no pairs', config, { ...ADD, CNI_ARGS: 'rubbish' }, 4],
    ['a namespace that is not there', config, ADD, 3],
    ['the namespace of the host', config, { ...ADD, CNI_NETNS: '/proc/self/ns/net' }, 8],
  ])('%s is an error of the specification', (_, input, variables, code) =>
    onHost(async (host) => {
      const { stdout, exitCode } = await run(host, input, env('ADD', variables));
      expect(JSON.parse(stdout)).toMatchObject({
        cniVersion: expect.any(String),
        code,
        msg: expect.stringMatching(/./),
      });
      expect(exitCode).toBe(1);
      expect(await leasesOf(host)).toEqual([]);
      expect(await linksOf(host)).toEqual([]);
    }),
  );

  test('a command that there is not, and one that the version has not', () =>
    onHost(async (host) => {
      const code = async (input: object, command: string) =>
        JSON.parse((await run(host, input, env(command))).stdout).code;
      expect(await code(config, 'DANCE')).toBe(4);
      expect(await code({ ...config, cniVersion: '1.0.0' }, 'GC')).toBe(1);
      expect(await code({ ...config, cniVersion: '0.4.0' }, 'STATUS')).toBe(1);
    }));

  test('a tap belongs to whom it is for, and has the queues that are asked for', () =>
    withMachines(async ({ host, container }) => {
      const tap = {
        cniVersion: '1.0.0',
        name: 'tested',
        type: 'tap',
        mtu: 1300,
        owner: 54321,
        group: 54322,
        multiQueue: true,
      };
      const variables = {
        CNI_CONTAINERID: 'a',
        CNI_NETNS: container.netns,
        CNI_IFNAME: 'tap0',
        CNI_ARGS: 'MAC=02:00:00:00:00:07',
      };
      expect(await run(host, tap, env('ADD', variables), 'tap')).toMatchObject({ exitCode: 0 });
      const [link] = await linksOf(container);
      expect(link).toMatchObject({ ifname: 'tap0', mtu: 1300, address: '02:00:00:00:00:07' });
      expect(link?.linkinfo?.info_data).toMatchObject({
        type: 'tap',
        user: 54321,
        group: 54322,
        multi_queue: true,
        persist: true,
      });
      expect(await run(host, tap, env('DEL', variables), 'tap')).toMatchObject({ exitCode: 0 });
      expect(await linksOf(container)).toEqual([]);
      await container.ip('link add br1 type bridge');
      await run(host, { ...tap, bridge: 'br1' }, env('ADD', variables), 'tap');
      expect((await linksOf(container)).find(({ ifname }) => ifname === 'tap0')?.master).toBe('br1');
      const labelled = await run(
        host,
        { ...tap, selinuxContext: 'a:b:c' },
        env('ADD', { ...variables, CNI_IFNAME: 'tap1' }),
        'tap',
      );
      expect(JSON.parse(labelled.stdout)).toMatchObject({ code: 2 });
    }));
});
