import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type HandlersPlan, NO_HANDLERS, NO_RESTART, type RestartPlan } from '../../src/abi/boot-plan.ts';
import { guestSuite } from './guest-suite.ts';
import { appPlan, bootPlan, pipes, processPlan, shell } from './pod-fixture.ts';
import type { ScriptedHost } from './scripted-host.ts';

const suite = guestSuite();
const app = (
  name: string,
  number: number,
  script: string,
  handlers: Partial<HandlersPlan>,
  restart: RestartPlan = NO_RESTART,
) =>
  appPlan(name, suite.root(name), shell(script), {
    streams: pipes(number),
    handlers: { ...NO_HANDLERS, ...handlers },
    restart,
  });

const typesOf = (host: ScriptedHost, id: string) =>
  host.messages.filter((message) => 'id' in message && message.id === id).map(({ type }) => type);
const warnings = (host: ScriptedHost) =>
  host.messages.flatMap((message) => (message.type === 'warning' ? [message.message] : []));
const output = async (host: ScriptedHost, stream: number) => (await host.streams.whole(stream)).toString();

describe('pre-start', () => {
  test('has ended before the program starts, in its root and with its streams', async () => {
    await using host = suite.start();
    const preStart = shell('echo before; sleep 0.3; touch /tmp/prepared; echo problem >&2');
    await host.boot(bootPlan([app('app', 1, 'ls /tmp/prepared; rm /tmp/prepared', { preStart })]));
    expect(await host.finish()).toBe(0);
    expect(await output(host, 11)).toBe('before\n/tmp/prepared\n');
    expect(await output(host, 12)).toBe('problem\n');
    expect(await host.exitOf('app')).toBe(0);
  });

  test('is root where the app is not, and no more than that', async () => {
    await using host = suite.start();
    const look = 'id -u; grep -e CapEff -e NoNewPrivs /proc/self/status';
    const preStart = shell(look, { capabilities: [0, 5] });
    const plan = app('user', 1, 'id -u', { preStart });
    await host.boot(bootPlan([{ ...plan, process: { ...plan.process, uid: 1000, noNewPrivileges: true } }]));
    await host.finish();
    expect(await output(host, 11)).toBe('0\nCapEff:\t0000000000000021\nNoNewPrivs:\t0\n1000\n');
  });

  test.each([
    ['ends with a code', shell('exit 3'), 'event handler pre-start ended with 3'],
    ['is killed', shell('kill -9 $$'), 'event handler pre-start was ended by signal 9'],
    ['is not there', processPlan(['/absent']), /^event handler pre-start: .*\/absent/],
  ])('that %s keeps the app from starting', async (_, preStart, message) => {
    await using host = suite.start();
    await host.boot(bootPlan([app('app', 1, 'echo no', { preStart, postStop: shell('echo no') })]));
    expect(await host.next('failed', 'app')).toMatchObject({
      step: 'pre-start',
      message: typeof message === 'string' ? message : expect.stringMatching(message),
    });
    await host.finish();
    expect(typesOf(host, 'app')).toEqual(['failed']);
    expect(await output(host, 11)).toBe('');
  });

  test('that does not end is ended with its pod', async () => {
    await using host = suite.start();
    const apps = [
      app('app', 1, 'echo no', { preStart: shell('echo up; sleep 1000') }),
      app('other', 2, 'echo up; sleep 1000', {}),
    ];
    await host.boot(bootPlan(apps));
    await host.streams.text(11, 'up');
    await host.streams.text(21, 'up');
    host.send({ type: 'stop' });
    await host.finish();
    expect(await output(host, 11)).toBe('up\n');
    expect(typesOf(host, 'app')).toEqual([]);
    expect(await host.exitOf('other')).toBe(143);
  });

  test('that does not end is ended with its app, in a mutable pod', async () => {
    await using host = suite.start();
    await host.boot(bootPlan([], { staysWhenEmpty: true }));
    host.send({
      type: 'start',
      volumes: [],
      app: app('app', 1, 'echo no', { preStart: shell('echo up; sleep 1000; echo no') }),
    });
    await host.streams.text(11, 'up');
    host.send({ type: 'stop-app', app: 'app', graceSeconds: 10 });
    expect(await host.next('failed', 'app')).toMatchObject({
      message: 'it was stopped before it had started',
    });
    expect(await output(host, 11)).toBe('up\n');
    host.send({ type: 'stop' });
    await host.finish();
  });
});

describe('post-stop', () => {
  test.each([
    ['done its work', 'touch /tmp/work; echo works', 0],
    ['failed', 'touch /tmp/work; echo works; exit 5', 5],
    ['been killed', 'touch /tmp/work; echo works; kill -9 $$', 137],
  ])('comes when the app has %s, in its root; then the app is over', async (_, script, code) => {
    await using host = suite.start();
    const postStop = shell('sleep 0.3; ls /tmp/work /dev/null /proc/1/status; cat /proc/self/comm; exit 0');
    await host.boot(bootPlan([app('app', 1, script, { postStop })]));
    expect(await host.finish()).toBe(0);
    expect(await output(host, 11)).toBe('works\n/dev/null\n/proc/1/status\n/tmp/work\ncat\n');
    expect(await host.exitOf('app')).toBe(code);
    expect(typesOf(host, 'app')).toEqual(['started', 'exited']);
    expect(typesOf(host, 'post-stop:app')).toEqual([]);
  });

  test('that fails, or is not there, is told of, and the app has ended as it did', async () => {
    await using host = suite.start();
    const apps = [
      app('one', 1, 'exit 0', { postStop: shell('exit 7') }),
      app('two', 2, 'exit 0', { postStop: processPlan(['/absent']) }),
    ];
    await host.boot(bootPlan(apps));
    await host.finish();
    for (const name of ['one', 'two']) expect(await host.exitOf(name)).toBe(0);
    expect(warnings(host).sort()).toEqual([
      'app one: event handler post-stop ended with 7',
      expect.stringMatching(/^app two: event handler post-stop could not be started: .*\/absent/),
    ]);
  });

  test('has the grace of the pod that stops, and is not told to end', async () => {
    await using host = suite.start();
    const main = 'trap "exit 0" TERM; echo up; while :; do sleep 0.1; done';
    const apps = [
      app('good', 1, main, { postStop: shell('trap "echo no" TERM; sleep 0.5; echo done') }),
      app('slow', 2, main, { postStop: shell('echo slow; sleep 1000; echo no') }),
    ];
    await host.boot(bootPlan(apps, { stopGraceSeconds: 8 }));
    for (const stream of [11, 21]) await host.streams.text(stream, 'up');
    host.send({ type: 'stop' });
    await host.finish();
    expect(await output(host, 11)).toBe('up\ndone\n');
    expect(await output(host, 21)).toBe('up\nslow\n');
    expect(warnings(host)).toEqual(['app slow: event handler post-stop was ended by signal 9']);
    expect(await host.exitOf('slow')).toBe(0);
  });

  test('has the grace of its app that is stopped', async () => {
    await using host = suite.start();
    await host.boot(bootPlan([], { staysWhenEmpty: true }));
    const postStop = shell('echo after; sleep 1000; echo no');
    host.send({ type: 'start', volumes: [], app: app('app', 1, 'echo up; sleep 1000', { postStop }) });
    await host.streams.text(11, 'up');
    host.send({ type: 'stop-app', app: 'app', graceSeconds: 5 });
    expect(await host.exitOf('app')).toBe(143);
    expect(await output(host, 11)).toBe('up\nafter\n');
    host.send({ type: 'stop' });
    await host.finish();
  });
});

test('each process of an app that is started again has both', async () => {
  await using host = suite.start();
  const script = 'echo main >> /log; [ $(grep -c main /log) -gt 1 ] && { cat /log; exit 0; }; exit 4';
  const handlers = {
    preStart: shell('echo before >> /log'),
    postStop: shell('echo after >> /log; cat /log'),
  };
  await host.boot(bootPlan([app('again', 1, script, handlers, { policy: 'on-failure', most: null })]));
  await host.finish();
  const first = 'before\nmain\nafter\n';
  expect(await output(host, 11)).toBe(`${first}${first}before\nmain\n${first}${first}`);
  expect(typesOf(host, 'again')).toEqual(['started', 'restarting', 'started', 'exited']);
});

test('at a terminal pre-start writes there, and post-stop nowhere', async () => {
  await using host = suite.start();
  const handlers = { preStart: shell('echo before; tty'), postStop: shell('echo after; echo x > /post') };
  const terminal = { kind: 'terminal', stream: 10, rows: 24, columns: 80 } as const;
  const plan = { ...app('tty', 1, 'echo main; ls /post; true', handlers), streams: terminal };
  await host.boot(bootPlan([plan]));
  expect(await host.finish()).toBe(0);
  expect(await output(host, 10)).toMatch(/^before\r\n\/dev\/pts\/0\r\nmain\r\nls: .*No such file.*\r\n$/);
  expect(existsSync(join(suite.root('tty'), 'post'))).toBe(true);
  expect(warnings(host)).toEqual([]);
});
