import { expect, onTestFinished, test } from 'vitest';
import { PLUGIN_SETS } from '../support/cni-chain.ts';
import { leftOfPods } from '../support/network-look.ts';
import {
  expectAnswers,
  FAR,
  FRONT_NETWORK,
  installShellPlugin,
  machineAsker,
  NetworkSite,
  type SitePod,
} from '../support/network-site.ts';
import { eventually } from '../support/polling.ts';
import { randomFrom, testSeed } from '../support/random.ts';

// Pods of both sets of plugins on the same networks at once, which come together and end in any way.

const { RKT_TEST_SOAK } = process.env;
const ROUNDS = RKT_TEST_SOAK === '1' ? 15 : 1;
const PODS = 3;
const seed = testSeed();
const ENDS = ['signal', 'stop', 'force', 'machine', 'supervisor'] as const;
type End = (typeof ENDS)[number];

const FRONT = { ...FRONT_NETWORK, cniVersion: '0.4.0' };
const OTHERS = [[], ['default-restricted'], ['cable'], ['cable', 'default-restricted']];

test(`pods of Debian's plugins and of ours come and go on the same networks: ${ROUNDS} rounds, seed ${seed}`, async () => {
  const random = randomFrom(seed);
  const oneOf = <T>(all: readonly T[]): T => {
    const chosen = all[Math.floor(random() * all.length)];
    if (chosen === undefined) throw new Error('nothing to choose from');
    return chosen;
  };
  const site = await NetworkSite.start();
  onTestFinished(() => site.close());
  installShellPlugin(site);
  site.network('10-front.conflist', FRONT);
  site.network('20-cable.conf', { cniVersion: '0.3.1', name: 'cable', type: 'cable' });
  for (let round = 0; round < ROUNDS; round++) {
    // Of each set there is one at least.
    const sets = [...PLUGIN_SETS, oneOf(PLUGIN_SETS)];
    const plans = sets.map((plugins) => ({
      plugins,
      networks: ['front', ...oneOf(OTHERS)],
      end: oneOf(ENDS),
    }));
    const image = await site.peerImage();
    const pods = await Promise.all(
      plans.map(async ({ plugins, networks }, index) => {
        const flags = [`--net=${networks.join()}`, `--port=${8080 + index}:80`];
        return (await site.runBy(plugins, ...flags, image)).served();
      }),
    );
    await expectMeeting(site, pods);
    await Promise.all(pods.map((pod, index) => endBy(site, pod, plans[index]?.end ?? 'signal')));
    await site.rkt.output(['gc', '--grace-period=0s']);
    const uuids = pods.map(({ uuid }) => uuid);
    // Cables of a pod that was killed are the kernel's to take away.
    await eventually(
      `nothing is left after ${JSON.stringify(plans)}`,
      async () => (await leftOfPods(site.host, uuids)).length === 0,
    );
  }
}, 1_800_000);

/** Each reaches each and the outside, and is reached from there. */
async function expectMeeting(site: NetworkSite, pods: readonly SitePod[]): Promise<void> {
  const listed = await site.rkt.list();
  const addresses = pods.map(({ uuid }) => {
    const pod = listed.find(({ name }) => name === uuid);
    return pod?.networks?.find(({ netName }) => netName === 'front')?.ip ?? 'none';
  });
  expect(new Set(addresses).size).toBe(PODS);
  for (const [index, pod] of pods.entries()) {
    const own = addresses[index] ?? '';
    const others = addresses.filter((address) => address !== own);
    await expectAnswers(
      pod,
      Object.fromEntries([
        ...others.flatMap((address) => [
          [`tcp ${address} 80`, own],
          [`udp ${address} 80`, own],
        ]),
        [`tcp ${FAR.v4} 90`, '192.0.2.1'],
        [`udp ${FAR.v6} 90`, '2001:db8::1'],
      ]),
    );
  }
  const published = pods.map((_, index) => [`tcp 192.0.2.1 ${8080 + index}`, '192.0.2.2']);
  await expectAnswers(machineAsker(site.outside), Object.fromEntries(published));
}

async function endBy({ rkt }: NetworkSite, pod: SitePod, end: End): Promise<void> {
  const machine = () =>
    rkt.scope.processes().find(({ name, argv }) => name.startsWith('qemu') && argv.includes(pod.uuid));
  const running = machine();
  if (running === undefined) throw new Error('no machine runs');
  if (end === 'signal') pod.command.signal('SIGTERM');
  if (end === 'stop' || end === 'force')
    await rkt.output(['stop', ...(end === 'force' ? ['--force'] : []), pod.uuid]);
  if (end === 'machine') process.kill(running.pid, 'SIGKILL');
  if (end === 'supervisor') pod.command.signal('SIGKILL');
  await pod.command.finished;
  await eventually('its machine has ended', () => machine() === undefined);
}
