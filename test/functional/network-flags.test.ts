import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { PLUGIN_SETS } from '../support/cni-chain.ts';
import { tinyImages } from '../support/images.ts';
import { useSite } from '../support/network-site.ts';

const site = useSite();
let image = '';

/** A plugin that makes nothing, and keeps what it is told. */
const TELLER = `#!/bin/sh
{ echo "$CNI_COMMAND $CNI_IFNAME \${CNI_ARGS:-}"; cat; echo; } >> /run/teller.log
if [ "$CNI_COMMAND" = ADD ]; then echo '{"cniVersion": "1.0.0"}'; fi
`;
const netd = (...names: string[]) => join(site.now.rkt.localConfig, 'net.d', ...names);
const show = (script: string) => [image, '--exec=/bin/sh', '--', '-c', script];
const INTERFACES = 'cd /sys/class/net && echo *; ip -4 -o addr show scope global';

beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
  writeFileSync(netd('teller'), TELLER, { mode: 0o755 });
  // A list whose plugins are beside it.
  site.now.network('10-told.conflist', { cniVersion: '1.0.0', name: 'told' });
  mkdirSync(netd('told'));
  const capabilities = { ips: true, bandwidth: true, portMappings: true, dns: true };
  writeFileSync(netd('told', '10-teller.conf'), JSON.stringify({ type: 'teller', capabilities }));
});

describe('without --net', () => {
  test('a pod is on the default network, as list and status show as long as it runs', async () => {
    const { rkt } = site.now;
    const uuid = (await rkt.output(['run', '--detach', ...show('sleep 100000')])).trim();
    expect(await rkt.output(['enter', uuid, '/bin/sh', '-c', INTERFACES])).toMatch(
      /^eth0 lo\n.* eth0 +inet 172\.16\.28\.2\/24 /,
    );
    expect(await rkt.output(['list', '--no-legend'])).toMatch(/\tdefault:ip4=172\.16\.28\.2\n$/);
    expect(await rkt.output(['status', uuid])).toContain('\nnetworks=default:ip4=172.16.28.2\n');
    const [listed] = await rkt.list();
    expect(listed?.networks).toEqual([
      {
        netName: 'default',
        netConf: 'built-in',
        pluginPath: expect.stringMatching(/\/ptp$/),
        ifName: 'eth0',
        ip: '172.16.28.2',
        args: '',
        mask: '255.255.255.0',
        addresses: ['172.16.28.2/24'],
        mac: expect.stringMatching(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/),
      },
    ]);
    expect(JSON.parse(await rkt.output(['inspect', uuid]))).toMatchObject([{ networks: listed?.networks }]);
    await rkt.output(['stop', uuid]);
    await rkt.output(['status', '--wait', uuid]);
    expect(await rkt.output(['status', uuid])).toContain('\nnetworks=\n');
    expect(await rkt.output(['list', '--no-legend'])).not.toContain('172.16.28.2');
  });
});

describe('with --net', () => {
  test('run joins the networks in the order of the flags, and tells plugins their arguments', async () => {
    const { rkt, host } = site.now;
    const told = 'told:IP=10.1.2.3/24;IP=fd00::3/64;MAC=02:00:00:00:00:01;INGRESS_RATE=10M';
    const flags = [`--net=${told}`, '--net=default-restricted', '--dns=172.31.0.1', '--dns-search=lab'];
    const seen = await rkt.output(['run', ...flags, ...show(INTERFACES)]);
    expect(seen).toMatch(/^eth1 lo\n.* eth1 +inet 172\.31\.0\.2\/16 /);
    const [add = '', input = '', del = ''] = (await host.run('cat', '/run/teller.log')).split('\n');
    expect(add).toBe(`ADD eth0 IgnoreUnknown=1;${told.replace('told:', '')}`);
    expect(del).toBe(add.replace('ADD', 'DEL'));
    expect(JSON.parse(input)).toEqual({
      type: 'teller',
      name: 'told',
      cniVersion: '1.0.0',
      runtimeConfig: {
        ips: ['10.1.2.3/24', 'fd00::3/64'],
        bandwidth: { ingressRate: 10_000_000, ingressBurst: 1_000_000 },
        dns: { servers: ['172.31.0.1'], searches: ['lab'] },
      },
    });
  });

  test.each(PLUGIN_SETS)(
    'addresses, a hardware address and limits reach plugins of $of',
    async ({ directory }) => {
      const { rkt, host } = site.now;
      const ranges = [[{ subnet: '10.9.0.0/24' }], [{ subnet: 'fd00:9::/64' }]];
      const ipam = { type: 'host-local', ranges };
      const plugins = [
        { type: 'bridge', bridge: 'lab0', capabilities: { ips: true, mac: true }, ipam },
        { type: 'bandwidth', capabilities: { bandwidth: true } },
      ];
      site.now.network('20-lab.conflist', { cniVersion: '1.0.0', name: 'lab', plugins });
      const net =
        '--net=lab:IP=10.9.0.50;IP=fd00:9::50;MAC=02:00:00:00:00:09;INGRESS_RATE=10M;EGRESS_RATE=5M';
      const words = ['run', '--detach', net, ...show('sleep 100000')];
      const uuid = (await rkt.output(words, { env: { CNI_PATH: directory } })).trim();
      const shown = await rkt.output(['enter', uuid, '/bin/sh', '-c', 'ip addr show dev eth0']);
      for (const part of ['link/ether 02:00:00:00:00:09 ', 'inet 10.9.0.50/24 ', 'inet6 fd00:9::50/64 '])
        expect(shown).toContain(part);
      const queues = await host.run('tc', 'qdisc');
      expect(queues).toMatch(/tbf \S+ dev veth\S+ root .*rate 10Mbit/);
      expect(queues).toMatch(/tbf \S+ dev bwp\S+ root .*rate 5Mbit/);
      await rkt.output(['stop', uuid]);
      await rkt.output(['status', '--wait', uuid]);
    },
  );

  test('a limit that no plugin would set is refused, and nothing is started', async () => {
    const { rkt } = site.now;
    const { code, stderr } = await rkt.run(['run', '--net=default:EGRESS_RATE=1M', image]);
    expect({ code, stderr }).toEqual({
      code: 254,
      stderr: expect.stringContaining(
        'network default: a limit is given, but no plugin of the network has the capability bandwidth\n',
      ),
    });
  });

  test('run-prepared takes the same, and says which file is in the place of a built-in network', async () => {
    const { rkt } = site.now;
    site.now.network('90-default-restricted.conf', {
      cniVersion: '1.0.0',
      name: 'default-restricted',
      type: 'bridge',
      bridge: 'own0',
      ipam: { type: 'host-local', subnet: '10.8.0.0/24' },
    });
    const uuid = (await rkt.output(['prepare', ...show(INTERFACES)])).trim();
    const { code, stdout, stderr } = await rkt.run([
      'run-prepared',
      '--net=default-restricted:IP=10.8.0.77',
      uuid,
    ]);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^eth0 lo\n.* eth0 +inet 10\.8\.0\.77\/24 /),
    });
    expect(stderr).toContain(
      `overriding "default-restricted" network with ${netd('90-default-restricted.conf')}\n`,
    );
  });

  test('app sandbox takes the same', async () => {
    const { rkt } = site.now;
    const uuid = (await rkt.output(['app', 'sandbox', '--detach', '--net=told,default'])).trim();
    expect(await rkt.output(['status', uuid])).toContain('\nnetworks=told, default:ip4=172.16.28.');
    const info = readFileSync(join(rkt.dir, 'pods/run', uuid, 'net-info.json'), 'utf8');
    expect(JSON.parse(info)).toMatchObject([{ ifName: 'eth0' }, { ifName: 'eth1' }]);
    await rkt.output(['stop', uuid]);
    await rkt.output(['status', '--wait', uuid]);
  });
});
