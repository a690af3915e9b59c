import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LimitsPlan } from '../../src/abi/boot-plan.ts';
import { cgroupLayout, parseMemberships } from '../../src/native/cgroup-layout.ts';
import { parseMountInfo } from '../../src/native/mount-table.ts';
import { DEVICE_RULES } from '../../src/supervisor/plan/device-rules.ts';
import { guestSuite } from './guest-suite.ts';
import { appPlan, bootPlan, NO_LIMITS, pipes, shell } from './pod-fixture.ts';

const suite = guestSuite();
const layout = cgroupLayout(
  parseMountInfo(readFileSync('/proc/self/mountinfo', 'utf8')),
  parseMemberships(readFileSync('/proc/self/cgroup', 'utf8')),
);
const NAME = `rkt-guest-limits-${process.pid}`;
/** What this host has: one directory on v2, one for each controller on v1. */
const groups = layout.places
  .filter(({ controller }) => ['unified', 'memory', 'cpu', 'pids', 'devices'].includes(controller))
  .map(({ controller, directory }) => ({ controller, path: join(directory, NAME) }));
const words = groups.map(({ controller, path }) => `${controller}=${path}`);
const unified = words.filter((word) => word.startsWith('unified='));

beforeEach(() => {
  for (const { path } of groups) mkdirSync(path);
});
afterEach(() => {
  for (const { path } of groups) remove(path);
});

function remove(path: string): void {
  for (const entry of readdirSync(path, { withFileTypes: true }))
    if (entry.isDirectory()) rmdirSync(join(path, entry.name));
  rmdirSync(path);
}

function app(script: string, limits: Partial<LimitsPlan>, name = 'app', stream = 1) {
  const plan = { limits: { ...NO_LIMITS, ...limits }, streams: pipes(stream) };
  return appPlan(name, suite.root(name), shell(script), plan);
}

async function said(script: string, limits: Partial<LimitsPlan>, ground = words) {
  await using host = suite.start(...ground);
  await host.boot(bootPlan([app(script, limits)]));
  const output = (await host.streams.whole(11)).toString();
  await host.finish();
  expect(host.messages.filter(({ type }) => type === 'warning')).toEqual([]);
  return output;
}

/** What the file of one of the controllers says, of v1 or of v2. */
const limitFile = (controller: string, v1: string, v2: string) => {
  const found = groups.find((group) => group.controller === controller);
  const unified = groups.find((group) => group.controller === 'unified');
  const path = found === undefined ? join(unified?.path ?? '', 'app', v2) : join(found.path, 'app', v1);
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined;
};

describe('an app', () => {
  test('that needs more memory than it may have is killed, and no other is; the host hears why', async () => {
    await using host = suite.start(...words);
    // The one that needs it is a child: its parent would go on.
    const hungry = '(x=$(head -c 60000000 /dev/zero | tr "\\0" x); echo had); sleep 1000';
    const apps = [
      app(hungry, { memoryBytes: 24 * 1024 * 1024 }, 'app', 1),
      app('read line; echo still here', {}, 'other', 2),
    ];
    await host.boot(bootPlan(apps, { staysWhenEmpty: true }));
    const exited = await host.next('exited', 'app');
    expect(exited.outOfMemory).toBe(true);
    expect((await host.streams.whole(11)).toString()).toBe('');
    expect(await host.next('exited', 'other')).toMatchObject({ outOfMemory: false });
    expect((await host.streams.whole(21)).toString()).toBe('still here\n');
    host.send({ type: 'stop' });
    await host.finish();
  });

  test('has no more processes than it may have', async () => {
    const script = 'for i in 1 2 3 4 5 6 7 8 9; do sleep 1000 & done 2>&1; echo all';
    expect(await said(script, { processes: 4 })).toMatch(/can't fork: Resource temporarily unavailable/);
  });

  test('has its part of the processors', async () => {
    await said('true', { cpuMillis: 250, cpuShares: 512 });
    const quota = limitFile('cpu', 'cpu.cfs_quota_us', 'cpu.max');
    expect(quota?.split(' ')[0]).toBe('25000');
    expect(limitFile('cpu', 'cpu.shares', 'cpu.weight')).toMatch(/^(512|20)$/);
  });

  const char = { kind: 'char', major: 1 } as const;
  const some = [
    { ...char, minor: 3, use: 'rw' },
    { ...char, minor: 5, use: 'w' },
    { ...char, minor: 9, use: 'r' },
  ];
  const refused = 'null\nzero: Operation not permitted\nfull: Operation not permitted\nurandom\nwritten\n';
  const all = 'null\nzero\nfull\nurandom\nwritten\n';
  // A host of v1 has a controller for that, and also the hierarchy of v2 that a program can be attached to.
  test.each([
    ['the controller of this host', words, some, refused],
    ['a program in the kernel', unified, some, refused],
    ['the controller, all of its own', words, DEVICE_RULES, all],
    ['a program, all of its own', unified, DEVICE_RULES, all],
  ])('uses the devices that it may use, in the ways that it may: by %s', async (_, ground, devices, seen) => {
    const read = 'for name in null zero full urandom; do head -c 1 /dev/$name >/dev/null && echo $name; done';
    const script = `(${read}; echo > /dev/zero && echo written) 2>&1`;
    const output = await said(script, { devices }, ground);
    expect(output.replaceAll(/^.*: \/dev\//gm, '')).toBe(seen);
  });
});

describe('what cannot be set', () => {
  const memory = { memoryBytes: 1024 * 1024 * 1024 };
  const problem = 'app app: the limit of memory could not be set: the pod has no control group';

  test('is told, and the app goes without', async () => {
    await using host = suite.start();
    await host.boot(bootPlan([app('echo here', memory)]));
    expect(await host.next('warning')).toMatchObject({ message: problem });
    expect((await host.streams.whole(11)).toString()).toBe('here\n');
    await host.finish();
  });

  test('is the end of an app in a pod that is strict', async () => {
    await using host = suite.start();
    await host.boot(bootPlan([app('echo here', memory)], { strict: true }));
    const message = problem.replace(/^app app: /, '');
    expect(await host.next('failed', 'app')).toMatchObject({ step: 'limits', message });
    expect((await host.streams.whole(11)).toString()).toBe('');
    await host.finish();
  });

  test('of the kernel is told; a pod that is strict does not start', async () => {
    const sysctls = [
      { path: 'net/core/absent', value: '1' },
      { path: 'net/ipv4/ip_default_ttl', value: '77' },
    ];
    const script = 'cat /proc/sys/net/ipv4/ip_default_ttl';
    await using host = suite.start();
    await host.boot(bootPlan([app(script, {})], { sysctls }));
    expect(await host.next('warning')).toMatchObject({
      message: expect.stringMatching(/net\/core\/absent could not be set to "1": ENOENT/),
    });
    expect((await host.streams.whole(11)).toString()).toBe('77\n');
    await host.finish();

    await using strict = suite.start();
    await strict.boot(bootPlan([app(script, {})], { sysctls, strict: true }));
    expect(await strict.next('fatal')).toMatchObject({ message: expect.stringMatching(/absent/) });
  });
});
