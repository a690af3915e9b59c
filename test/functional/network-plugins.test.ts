import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { tinyImages } from '../support/images.ts';
import { leftOfPods } from '../support/network-look.ts';
import { useSite } from '../support/network-site.ts';
import { eventually } from '../support/polling.ts';

// How the plugins of a pod's networks are called, by one that keeps a record of it.

const RECORDER = fileURLToPath(new URL('../support/shell-plugin/recorder', import.meta.url));
const LOG = '/run/recorder.log';
const site = useSite();
let image = '';

beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
  copyFileSync(RECORDER, join(site.now.rkt.localConfig, 'net.d', 'recorder'));
});
beforeEach(async () => {
  await site.now.host.run('rm', '-f', LOG);
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

/** Its first plugin has come to a result, the second waits. */
async function startSlow() {
  configure('0.4.0', { tag: 'a', ipam: { type: 'host-local' } }, { tag: 'b', kind: 'slow' });
  const file = site.now.rkt.path(`uuid-${process.hrtime.bigint()}`);
  const command = site.now.rkt.start(['run', '--net=recorded', `--uuid-file-save=${file}`, image]);
  await eventually('the plugin waits', async () => (await log()).includes('b ADD waits'));
  return command;
}

test('and ended by a signal that ends the pod, which takes away what there is', async () => {
  const command = await startSlow();
  command.signal('SIGINT');
  expect((await command.finished).code).toBe(130);
  expect((await log()).filter((line) => line.includes('DEL'))).toEqual([
    'b DEL "prevResult"',
    'a DEL "prevResult"',
  ]);
  const uuids = (await site.now.rkt.list()).map(({ name }) => name);
  expect(await leftOfPods(site.now.host, uuids)).toEqual([]);
});

test('and ended by a command, too: none needs to wait for a machine', async () => {
  const command = await startSlow();
  const [pod] = (await site.now.rkt.list()).filter(({ state }) => state === 'running');
  await site.now.rkt.output(['stop', pod?.name ?? '']);
  expect((await command.finished).code).toBe(143);
});

test('by gc for a pod that was killed, in a namespace like the one that has gone', async () => {
  const { rkt, host, outside } = site.now;
  const command = await startSlow();
  command.signal('SIGKILL');
  await command.finished;
  const uuids = (await rkt.list()).map(({ name }) => name);
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
  expect(await leftOfPods(host, uuids)).toEqual([]);
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
