import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { POD } from '../../src/abi/pod-directory.ts';
import { tinyImages } from '../support/images.ts';
import { groupFiles } from '../support/pod-groups.ts';
import { eventually } from '../support/polling.ts';
import { useRkt } from '../support/rkt.ts';
import { type RunningPod, startPod, useRunningPods } from '../support/running-pod.ts';
import { builtAlone, endSpares, keepers, machineOf, oneWaits, ownSpares, TAKES } from '../support/spares.ts';

// A pod of two apps that runs in a machine which was a spare, beside one that was restored for its pod alone.

const LOOP = "trap 'exit 4' TERM; echo up; while :; do sleep 0.1; done";
const STANDING_MS = 1000;
/** As /proc/uptime has it. */
const TICK_MS = 10;

const rkt = useRkt();
afterAll(() => endSpares(rkt));
const pods = useRunningPods();
let restored: RunningPod;
let taken: RunningPod;
let keeper = 0;
let machine = 0;

beforeAll(async () => {
  const image = (await tinyImages()).aci.plain;
  ownSpares(rkt);
  await builtAlone(rkt, '--interfaces=0');
  const app = (name: string, ...flags: readonly string[]) => [
    image,
    `--name=${name}`,
    ...flags,
    '--exec=/bin/sh',
    '--',
    '-c',
    LOOP,
  ];
  // Together as much as one that says nothing.
  const half = '--memory=128Mi';
  restored = await startPod(rkt, ['--debug', ...app('one')]);
  pods.push(restored);
  expect(restored.command.stderr).not.toContain(TAKES);
  keeper = (await oneWaits(rkt)).pid;
  machine = machineOf(rkt, keeper)?.pid ?? 0;
  taken = await startPod(rkt, ['--debug', ...app('one', half), '---', ...app('other', half)]);
  pods.push(taken);
  expect(taken.command.stderr).toContain(TAKES);
  await eventually('both apps are up', () => taken.command.stdout === 'up\nup\n');
});

test('its machine and who keeps it are in its control groups', () => {
  const members = groupFiles(rkt.dir, taken.uuid, 'cgroup.procs').map((text) => text.split('\n').map(Number));
  expect(members).not.toEqual([]);
  for (const pids of members) expect(pids).toEqual(expect.arrayContaining([keeper, machine]));
});

test('no other machine has the uid of its own', async () => {
  const recorded = ({ uuid }: RunningPod) =>
    Number(readFileSync(join(rkt.dir, 'pods/run', uuid, POD.vmId), 'utf8'));
  expect(statSync(`/proc/${machine}`).uid).toBe(recorded(taken));
  const others = await eventually('the next one is there', () => {
    const others = keepers(rkt).filter(({ pid }) => pid !== keeper);
    const machines = others.flatMap(({ pid }) => machineOf(rkt, pid) ?? []);
    return machines.length > 0 && machines;
  });
  const uids = others.map(({ pid }) => statSync(`/proc/${pid}`).uid);
  expect(new Set([...uids, recorded(taken), recorded(restored)]).size).toBe(3);
});

/** What a shell beside the app prints. */
const inside = ({ uuid }: RunningPod, script: string) =>
  rkt.output(['enter', '--app=one', uuid, '/bin/sh', '-c', script]);

test('enter: what is written in there is its own', async () => {
  await inside(taken, 'echo entered > /entered');
  expect(await inside(taken, 'cat /entered')).toBe('entered\n');
  expect(await inside(restored, 'ls /entered 2>&1 || true')).toContain('No such file');
});

test('stats tells of its apps and its machine', async () => {
  const { pods: told } = JSON.parse(await rkt.output(['stats', '--format=json', taken.uuid]));
  const [{ answered, apps, host }] = told;
  expect(answered).toBe(true);
  expect(apps).toMatchObject([{ name: 'one' }, { name: 'other' }]);
  const processes = [
    { name: 'qemu', pid: machine },
    { name: 'supervisor', pid: taken.command.pid },
  ];
  for (const process of processes)
    expect(host.processes).toEqual(expect.arrayContaining([expect.objectContaining(process)]));
});

test('a paused one stands still, and goes on', async () => {
  const uptime = async () => Number(await inside(taken, 'cut -d " " -f 1 /proc/uptime')) * 1000;
  const [began, before] = [Date.now(), await uptime()];
  await rkt.output(['pause', taken.uuid]);
  const stood = Date.now();
  expect(await rkt.output(['status', taken.uuid])).toMatch(/^paused=true$/m);
  await sleep(STANDING_MS);
  const standing = Date.now() - stood;
  await rkt.output(['resume', taken.uuid]);
  const ran = (await uptime()) - before;
  expect(ran).toBeGreaterThan(0);
  expect(ran).toBeLessThan(Date.now() - began - standing + TICK_MS);
});

test('stop ends its apps, and with them its machine and who has kept that', async () => {
  await rkt.output(['stop', taken.uuid]);
  expect((await taken.command.finished).code).toBe(4);
  await eventually('both have gone', () =>
    rkt.scope.processes().every(({ pid }) => pid !== keeper && pid !== machine),
  );
  expect(await rkt.output(['status', taken.uuid])).toMatch(/^app-one=4$[\s\S]*^app-other=4$/m);
  const file = rkt.path('entered');
  await rkt.output(['cp', '--app=one', `${taken.uuid}:/entered`, file]);
  expect(readFileSync(file, 'utf8')).toBe('entered\n');
});
