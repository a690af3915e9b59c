import { beforeAll, describe, expect, test } from 'vitest';
import { PLUGIN_SETS } from '../support/cni-chain.ts';
import { leftOfPods } from '../support/network-look.ts';
import {
  expectAnswers,
  FRONT_NETWORK,
  installShellPlugin,
  machineAsker,
  type SitePod,
  useSite,
} from '../support/network-site.ts';
import { eventually } from '../support/polling.ts';

// However a pod ends, nothing of its networks stays: where its supervisor cannot take it away any more, `gc` does.

const FRONT = { ...FRONT_NETWORK, cniVersion: '1.0.0' };

describe.each(PLUGIN_SETS)('by the plugins of $of', (plugins) => {
  const site = useSite(plugins);
  let pods: readonly SitePod[] = [];
  const published = (index: number) => `tcp 192.0.2.1 ${8080 + index}`;
  const qemuOf = ({ uuid }: SitePod) =>
    site.now.rkt.scope.processes().find(({ name, argv }) => name.startsWith('qemu') && argv.includes(uuid));
  /** What the host has of a pod while others run: rules, leases, and a cable. */
  const namedAfter = async ({ uuid }: SitePod) => {
    const script =
      'nft list ruleset; iptables-save; ip6tables-save; ip -br link; grep -r . /var/lib/cni/networks';
    const lines = (await site.now.host.run('sh', '-c', script)).split('\n');
    return lines.filter((line) => [uuid, `cable${uuid.slice(0, 8)}`].some((name) => line.includes(name)));
  };
  beforeAll(async () => {
    installShellPlugin(site.now);
    site.now.network('10-front.conflist', FRONT);
    site.now.network('20-cable.conf', { cniVersion: '1.0.0', name: 'cable', type: 'cable' });
    const flags = ['--net=front,cable,default'];
    pods = await Promise.all(
      [0, 1, 2].map((index) =>
        site.now.pod(...flags, `--port=${8080 + index}:80`, ...(index === 0 ? ['--rm'] : [])),
      ),
    );
  });

  test('by a command', async () => {
    const [pod] = pods;
    if (pod === undefined) throw new Error('no pod has started');
    expect((await namedAfter(pod)).length).toBeGreaterThan(5);
    await site.now.rkt.output(['stop', '--force', pod.uuid]);
    await pod.command.finished;
    expect(await namedAfter(pod)).toEqual([]);
    await expectAnswers(machineAsker(site.now.outside), {
      [published(0)]: 'ECONNREFUSED',
      [published(1)]: '192.0.2.2',
    });
  });

  test('because its machine is killed', async () => {
    const [, pod] = pods;
    if (pod === undefined) throw new Error('no pod has started');
    const machine = qemuOf(pod);
    if (machine === undefined) throw new Error('no machine runs');
    process.kill(machine.pid, 'SIGKILL');
    expect((await pod.command.finished).code).not.toBe(0);
    expect(await namedAfter(pod)).toEqual([]);
    await expectAnswers(machineAsker(site.now.outside), {
      [published(1)]: 'ECONNREFUSED',
      [published(2)]: '192.0.2.2',
    });
  });

  test('because its supervisor is killed', async () => {
    const [, , pod] = pods;
    if (pod === undefined) throw new Error('no pod has started');
    pod.command.signal('SIGKILL');
    await pod.command.finished;
    await eventually('its machine has ended', () => qemuOf(pod) === undefined);
    const left = await leftOfPods(site.now.host, [pod.uuid]);
    expect(left).toEqual(
      expect.arrayContaining([expect.stringContaining(pod.uuid), expect.stringMatching(/^lease fd00:1::/)]),
    );
    await site.now.rkt.output(['gc', '--grace-period=0s']);
    await eventually(
      'nothing is left of it',
      async () => (await leftOfPods(site.now.host, [pod.uuid])).length === 0,
    );
    await expectAnswers(machineAsker(site.now.outside), { [published(2)]: 'ECONNREFUSED' });
  });
});
