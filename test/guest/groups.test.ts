import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AppPlan } from '../../src/abi/boot-plan.ts';
import { parseMemberships } from '../../src/native/cgroup-layout.ts';
import { parseMountInfo } from '../../src/native/mount-table.ts';
import { eventually } from '../support/polling.ts';
import { guestSuite } from './guest-suite.ts';
import { appPlan, bootPlan, pipes, processPlan, shell } from './pod-fixture.ts';
import type { ScriptedHost } from './scripted-host.ts';

const suite = guestSuite();

/** This process's own group of v2, which a host has for names at least, where controllers are elsewhere. */
function ownGroup(): string {
  const mounts = parseMountInfo(readFileSync('/proc/self/mountinfo', 'utf8'));
  const unified = mounts.find(({ type }) => type === 'cgroup2');
  if (unified === undefined) throw new Error('no cgroup2 is mounted here');
  const memberships = parseMemberships(readFileSync('/proc/self/cgroup', 'utf8'));
  return join(unified.target, memberships.find(({ controllers }) => controllers.length === 0)?.path ?? '/');
}

const group = join(ownGroup(), `rkt-guest-test-${process.pid}`);
beforeEach(() => mkdirSync(group));
afterEach(() => {
  for (const { name } of readdirSync(group, { withFileTypes: true }).filter((entry) => entry.isDirectory()))
    rmdirSync(join(group, name));
  rmdirSync(group);
});

const pidsIn = (name: string) =>
  readFileSync(join(group, name, 'cgroup.procs'), 'utf8')
    .split('\n')
    .slice(0, -1);
const app = (name: string, number: number, script: string, changes: Partial<AppPlan> = {}) =>
  appPlan(name, suite.root(name), shell(script), { streams: pipes(number), ...changes });

async function statsOf(host: ScriptedHost, request: number) {
  host.send({ type: 'stats', request });
  return await eventually('the guest answers', () => {
    const answers = host.messages.filter((message) => 'request' in message && message.request === request);
    if (!answers.some(({ type }) => type === 'stats')) return undefined;
    return {
      apps: answers.flatMap((answer) => (answer.type === 'app-stats' ? answer.apps : [])),
      guest: answers.find((answer) => answer.type === 'stats'),
    };
  });
}

describe('with a control group of the pod', () => {
  test('an app is in its own from its first moment on, and so is what is entered', async () => {
    await using host = suite.start(`unified=${group}`);
    const script = 'cat /proc/self/cgroup; (setsid sleep 1000 &); read line; exit 0';
    await host.boot(
      bootPlan([app('one', 1, script, { streams: pipes(1, true) }), app('two', 2, 'sleep 1000')]),
    );
    await host.streams.text(11, '0::/\n');
    await host.next('started', 'two');
    await eventually('it has two processes', () => pidsIn('one').length === 2);
    expect(pidsIn('two')).toHaveLength(1);
    expect(pidsIn('.')).toEqual([]);
    // PID 1 and nobody else, where there are controllers: it had to go to a group of its own.
    const controllers = readFileSync(join(group, 'cgroup.subtree_control'), 'utf8').trim();
    if (controllers !== '') expect(pidsIn('_init')).toHaveLength(1);
    host.send({
      ...{ type: 'exec', id: 'exec-1', app: 'one' },
      process: processPlan(['cat', '/proc/self/cgroup']),
      streams: pipes(5),
    });
    expect(await host.exitOf('exec-1')).toBe(0);
    const seen = (await host.streams.whole(51)).toString();
    expect(seen).toMatch(/^0::\/$/m);
    host.send({ type: 'stop' });
    expect((await host.streams.whole(11)).toString()).toBe(seen);
    await host.finish();
    expect(existsSync(join(group, 'one'))).toBe(true);
  });

  test('all that an app has started ends when it is stopped, whatever has become of it', async () => {
    await using host = suite.start(`unified=${group}`);
    // Nobody's child, no session of the app's, and deaf.
    const script = "(trap '' TERM; setsid setsid sh -c 'sleep 1000; :' &); exec sleep 1000";
    await host.boot(bootPlan([app('one', 1, script), app('two', 2, 'sleep 1000')], { staysWhenEmpty: true }));
    await eventually(
      'it has three processes',
      () => existsSync(join(group, 'one')) && pidsIn('one').length === 3,
    );
    await host.next('started', 'two');
    host.send({ type: 'stop-app', app: 'one', graceSeconds: 5 });
    expect(await host.exitOf('one')).toBe(143);
    await eventually('nobody is left of it', () => pidsIn('one').length === 0);
    expect(pidsIn('two')).toHaveLength(1);
    // There are kernels that kill whoever is made in a group that was killed once.
    host.send({ type: 'start', volumes: [], app: app('one', 3, 'echo again; cat /proc/self/cgroup') });
    expect((await host.streams.whole(31)).toString()).toMatch(/^again\n(.*\n)*0::\/\n/);
    host.send({ type: 'stop' });
    await host.finish();
  });

  test('it tells what each app uses, as far as the kernel knows', async () => {
    await using host = suite.start(`unified=${group}`);
    const script = 'dd if=/dev/zero of=/dev/null bs=1k count=100 2>/dev/null; echo done; sleep 1000';
    await host.boot(bootPlan([app('one', 1, script), app('two', 2, 'sleep 1000')]));
    await host.next('started', 'two');
    await eventually('it has copied', async () => {
      const [one] = (await statsOf(host, 1000 + host.messages.length)).apps;
      return (one?.writtenBytes ?? 0) >= 100 * 1024;
    });
    const { apps, guest } = await statsOf(host, 1);
    expect(apps).toMatchObject([
      { name: 'one', cpuMicroseconds: expect.any(Number), bytesOf: 'calls' },
      { name: 'two', cpuMicroseconds: expect.any(Number), bytesOf: 'calls' },
    ]);
    const controllers = readFileSync(join(group, 'cgroup.controllers'), 'utf8');
    const known = controllers.includes('memory') ? expect.any(Number) : null;
    expect(apps[0]?.memoryBytes).toEqual(known);
    expect(guest).toMatchObject({ memoryBytes: expect.any(Number), interfaces: [{ name: 'lo' }] });
    host.send({ type: 'stop' });
    await host.finish();
  });

  test('more apps than one message has room for are told in several', async () => {
    await using host = suite.start(`unified=${group}`);
    const names = Array.from({ length: 33 }, (_, index) => `app-${index}`);
    const root = suite.root('many');
    await host.boot(
      bootPlan(
        names.map((name, index) => appPlan(name, root, shell('sleep 1000'), { streams: pipes(index + 1) })),
      ),
    );
    for (const name of names) await host.next('started', name);
    expect((await statsOf(host, 7)).apps.map(({ name }) => name)).toEqual(names);
    expect(host.messages.filter(({ type }) => type === 'app-stats')).toHaveLength(2);
    host.send({ type: 'stop' });
    await host.finish();
  });
});

test('without a group of the pod, apps run and their use is not known', async () => {
  await using host = suite.start();
  await host.boot(bootPlan([app('one', 1, 'cat /proc/self/cgroup; sleep 1000')]));
  await host.next('started', 'one');
  expect((await statsOf(host, 1)).apps).toEqual([
    {
      ...{ name: 'one', cpuMicroseconds: null, memoryBytes: null, memoryPeakBytes: null, tasks: null },
      ...{ readBytes: null, writtenBytes: null, bytesOf: 'calls' },
    },
  ]);
  host.send({ type: 'stop' });
  await host.finish();
  expect((await host.streams.whole(11)).toString()).toBe(readFileSync('/proc/self/cgroup', 'utf8'));
});
