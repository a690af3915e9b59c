import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { tinyImages } from '../support/images.ts';
import { leasesOf, leftOfPods } from '../support/network-look.ts';
import { useSite } from '../support/network-site.ts';
import { eventually } from '../support/polling.ts';
import { savedUuid } from '../support/rkt.ts';

// How the plugins of a pod's networks are called, by one that keeps a record of it.

const RECORDER = fileURLToPath(new URL('../support/shell-plugin/recorder', import.meta.url));
const LOG = '/run/recorder.log';
/** Lets what a slow plugin has started go on. */
const GO = '/run/recorder.go';
const site = useSite();
let image = '';

beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
  copyFileSync(RECORDER, join(site.now.rkt.localConfig, 'net.d', 'recorder'));
});
beforeEach(async () => {
  await site.now.host.run('rm', '-f', LOG, GO);
});

const log = async () => (await site.now.host.run('sh', '-c', `cat ${LOG} 2>/dev/null || true`)).split('\n');
const configure = (version: string, ...plugins: readonly object[]) =>
  site.now.network('50-recorded.conflist', {
    cniVersion: version,
    name: 'recorded',
    plugins: plugins.map((plugin) => ({ type: 'recorder', ...plugin })),
  });
const run = (net: string) => site.now.rkt.run(['run', `--net=${net}`, image]);

test('in order, each with the result of the one before, and in the opposite order when the pod has ended', async () => {
  configure('1.1.0', { tag: 'a' }, { tag: 'b', kind: 'environment' });
  expect(await run('recorded:K=V')).toMatchObject({ code: 0 });
  expect(await log()).toEqual([
    'a STATUS',
    'b STATUS',
    'a ADD eth0 IgnoreUnknown=1;K=V first',
    'b ADD eth0 IgnoreUnknown=1;K=V "prevResult"',
    // What only concerns the supervisor is not for them.
    'CNI_ARGS CNI_COMMAND CNI_CONTAINERID CNI_IFNAME CNI_NETNS CNI_PATH',
    'b DEL "prevResult"',
    'a DEL "prevResult"',
  ]);
});

test('not at all where one says that it cannot serve', async () => {
  configure('1.1.0', { tag: 'a' }, { tag: 'b', kind: 'full' });
  const { code, stderr } = await run('recorded');
  expect({ code, stderr }).toEqual({
    code: 254,
    stderr: expect.stringContaining('there is no more to give'),
  });
  expect(stderr).toContain('code 50');
  expect((await log()).filter((line) => line.includes('ADD'))).toEqual([]);
});

test('with the versions told that it speaks where it does not speak the network’s', async () => {
  configure('1.0.0', { tag: 'a', kind: 'old' });
  const { code, stderr } = await run('recorded');
  expect({ code, stderr }).toEqual({ code: 254, stderr: expect.stringContaining('["0.3.1","0.4.0"]') });
});

/** The second plugin of its network waits. */
async function startSlow() {
  const file = site.now.rkt.path(`uuid-${process.hrtime.bigint()}`);
  const command = site.now.rkt.start(['run', '--net=recorded', `--uuid-file-save=${file}`, image]);
  await eventually('the plugin waits', async () => (await log()).includes('b ADD waits'));
  return { command, uuid: savedUuid(file) ?? '' };
}
const slowNetwork = () =>
  configure('0.4.0', { tag: 'a', ipam: { type: 'host-local' } }, { tag: 'b', kind: 'slow' });

test('and ended by a signal that ends the pod, which takes away what there is', async () => {
  slowNetwork();
  const { command, uuid } = await startSlow();
  command.signal('SIGINT');
  expect((await command.finished).code).toBe(130);
  expect((await log()).filter((line) => line.includes('DEL'))).toEqual([
    'b DEL "prevResult"',
    'a DEL "prevResult"',
  ]);
  expect(await leftOfPods(site.now.host, [uuid])).toEqual([]);
});

test('and ended by a command, too: none needs to wait for a machine', async () => {
  slowNetwork();
  const { command, uuid } = await startSlow();
  await site.now.rkt.output(['stop', uuid]);
  expect((await command.finished).code).toBe(143);
});

test('by gc for a pod that was killed, in a namespace like the one that has gone', async () => {
  const { rkt, host, outside } = site.now;
  slowNetwork();
  const { command, uuid } = await startSlow();
  command.signal('SIGKILL');
  await command.finished;
  await host.run('touch', GO);
  const gc = rkt.argv(['gc', '--grace-period=0s']);
  // What was made is not in another's network.
  const elsewhere = await rkt.startArgv(['nsenter', `--net=${outside.netns}`, ...gc]).finished;
  expect(elsewhere).toMatchObject({
    code: 254,
    stderr: expect.stringContaining('network recorded was set up in another network namespace'),
  });
  expect(await rkt.startArgv(gc).finished).toMatchObject({ code: 0 });
  expect((await log()).slice(-8)).toEqual([
    'b ADD waits',
    'b what was started has ended',
    ...['b DEL "prevResult"', 'address 10.98.0.2/24', 'link/ether 02:00:00:00:98:02'],
    ...['a DEL "prevResult"', 'address 10.98.0.2/24', 'link/ether 02:00:00:00:98:02'],
  ]);
  await eventually('nothing is left of it', async () => (await leftOfPods(host, [uuid])).length === 0);
  expect(await rkt.list()).toEqual([]);
});

test('to look whether all is there that they have made', async () => {
  const { rkt, host } = site.now;
  const pod = await site.now.run('--net=default', image, '--exec', '/bin/sh', '--', '-c', 'exec sleep 600');
  const check = ['status', '--check-networks', pod.uuid];
  expect((await rkt.output(check)).split('\n')).toContain('network-default=ok');
  await host.run('sh', '-c', 'rm /var/lib/cni/networks/default/172.16.28.*');
  const { code, stdout } = await rkt.run([...check, '--format=json']);
  expect({
    code,
    checks: (JSON.parse(stdout) as { readonly network_checks: unknown }).network_checks,
  }).toEqual({
    code: 254,
    checks: [
      { network: 'default', verdict: 'failed', problem: expect.stringContaining('plugin ptp: CHECK: ') },
    ],
  });
});

test('by gc to take away what no pod has, and nothing of one that gc has not come to', async () => {
  const { rkt, host } = site.now;
  const ipam = { type: 'host-local', subnet: '10.97.0.0/24' };
  configure('1.1.0', { type: 'ptp', tag: 'a', ipam }, { tag: 'b', kind: 'slow' });
  const { command, uuid } = await startSlow();
  command.signal('SIGKILL');
  await command.finished;
  await host.run('touch', GO);
  await eventually('all that it has started has ended', async () =>
    (await log()).some((line) => / has ended$/.test(line)),
  );
  await host.run('sh', '-c', 'printf "stranger\\neth0" > /var/lib/cni/networks/recorded/10.97.0.99');
  expect(await leasesOf(host, 'recorded')).toEqual(expect.arrayContaining(['10.97.0.2', '10.97.0.99']));
  expect(await rkt.output(['gc', '--networks'])).toBe('Garbage collecting network "recorded"\n');
  expect(await leasesOf(host, 'recorded')).toEqual(['10.97.0.2']);
  expect((await log()).at(-1)).toBe(
    `b GC "cni.dev/valid-attachments":[{"containerID":"${uuid}","ifname":"eth0"}]`,
  );
  await rkt.output(['gc', '--networks', '--grace-period=0s']);
  expect(await leasesOf(host, 'recorded')).toEqual([]);
  expect((await log()).at(-1)).toBe('b GC "cni.dev/valid-attachments":[]');
});
