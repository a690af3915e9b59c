import { describe, expect, test } from 'vitest';
import { guestSuite } from './guest-suite.ts';
import { appPlan, bootPlan, pipes, shell } from './pod-fixture.ts';

const suite = guestSuite();
const app = (name: string, number: number, script: string) =>
  appPlan(name, suite.root(name), shell(script), { streams: pipes(number) });

describe('a pod of one app', () => {
  test('says its output and its code, and ends', async () => {
    await using host = suite.start();
    await host.boot(bootPlan([app('app', 1, 'echo hello; echo oops >&2; exit 7')]));
    expect(await host.exitOf('app')).toBe(7);
    expect((await host.streams.whole(11)).toString()).toBe('hello\n');
    expect((await host.streams.whole(12)).toString()).toBe('oops\n');
    expect(await host.finish()).toBe(0);
    expect(host.messages.map(({ type }) => type)).toEqual(['hello', 'started', 'exited', 'ended']);
    expect(host.console).toBe('');
  });

  test('tells a signal from a code', async () => {
    await using host = suite.start();
    await host.boot(bootPlan([app('app', 1, 'kill -9 $$')]));
    expect((await host.next('exited', 'app')).status).toEqual({ kind: 'signaled', signal: 9 });
    await host.finish();
  });

  test('has its hostname, and a loopback that is up', async () => {
    await using host = suite.start();
    await host.boot(bootPlan([app('app', 1, 'hostname; ip -4 addr show lo | grep -o 127.0.0.1')]));
    expect((await host.streams.whole(11)).toString()).toBe('pod-under-test\n127.0.0.1\n');
    await host.finish();
  });

  test('reaps orphans, reports none of them, and leaves none behind', async () => {
    await using host = suite.start();
    // Of nobody else's processes there are any in the end: its own are the shell and `ps`.
    const script = [
      'for i in 1 2 3 4 5; do (sleep 0.1 &) ; done; (sleep 1000 &)',
      'until ps -o stat,comm > /tmp/ps; [ $(grep -c sleep /tmp/ps)$(grep -c " sh" /tmp/ps)$(grep -c ^Z /tmp/ps) = 110 ]; do sleep 0.1; done',
      'cat /tmp/ps',
    ].join('; ');
    await host.boot(bootPlan([app('app', 1, script)]));
    const processes = (await host.streams.whole(11)).toString();
    expect(processes).not.toMatch(/Z/);
    expect(processes.match(/sleep/g)).toHaveLength(1);
    expect(await host.finish()).toBe(0);
    expect(host.messages.filter(({ type }) => type === 'exited')).toHaveLength(1);
  });
});

describe('a pod of several apps', () => {
  test('shares processes, network and shared memory, and no root', async () => {
    await using host = suite.start();
    const server = [
      'echo one > /only-one; echo $$ > /dev/shm/pid; nc -l -p 99 -e echo served',
      'until [ -e /dev/shm/seen ]; do sleep 0.1; done; exit 0',
    ].join(';');
    const client = [
      'until nc 127.0.0.1 99 2>/dev/null; do sleep 0.05; done',
      'cat /proc/$(cat /dev/shm/pid)/comm; ls /only-one; touch /dev/shm/seen; exit 0',
    ].join(';');
    await host.boot(bootPlan([app('one', 1, server), app('two', 2, client)]));
    expect((await host.streams.whole(21)).toString()).toBe('served\nsh\n');
    expect((await host.streams.whole(22)).toString()).toMatch(/only-one: No such file/);
    await host.finish();
  });

  test('goes on when one exits 0', async () => {
    await using host = suite.start();
    await host.boot(bootPlan([app('one', 1, 'exit 0'), app('two', 2, 'sleep 0.5; exit 0')]));
    await host.finish();
    expect(await host.exitOf('one')).toBe(0);
    expect(await host.exitOf('two')).toBe(0);
  });

  test('ends when one fails: the others are asked first', async () => {
    await using host = suite.start();
    const patient = 'trap "echo asked; exit 0" TERM; echo up; : > /dev/shm/up; while :; do sleep 0.1; done';
    const failing = 'until [ -e /dev/shm/up ]; do sleep 0.1; done; exit 3';
    await host.boot(bootPlan([app('one', 1, failing), app('two', 2, patient)]));
    await host.finish();
    expect(await host.exitOf('one')).toBe(3);
    expect(await host.exitOf('two')).toBe(0);
    expect(host.streams.received(21).toString()).toBe('up\nasked\n');
  });

  test('starts none when one cannot be prepared', async () => {
    await using host = suite.start();
    const broken = appPlan('broken', '/nowhere/at/all', shell('echo no'), { streams: pipes(1) });
    await host.boot(bootPlan([app('one', 2, 'echo never'), broken]));
    const { step, message } = await host.next('failed', 'broken');
    expect([step, message]).toEqual(['root', expect.stringMatching(/no such file.*\/nowhere\/at\/all/)]);
    expect((await host.streams.whole(21)).length).toBe(0);
    await host.finish();
    expect(host.messages.map(({ type }) => type)).toEqual(['hello', 'failed', 'ended']);
  });
});

describe('stopping', () => {
  const stubborn = 'trap "" TERM; echo up; while :; do sleep 0.1; done';

  test('SIGKILL follows SIGTERM after the grace', async () => {
    await using host = suite.start();
    await host.boot(bootPlan([app('app', 1, stubborn)], { stopGraceSeconds: 1 }));
    await host.streams.text(11, 'up');
    const asked = Date.now();
    host.send({ type: 'stop' });
    expect(await host.exitOf('app')).toBe(137);
    expect(Date.now() - asked).toBeGreaterThan(900);
    await host.finish();
  });

  test('reaches all of an app, and what has been stopped', async () => {
    await using host = suite.start();
    // It is up when it stands still.
    const stopped = '(until grep -q "^State:.T" /proc/$$/status; do sleep 0.1; done; echo up) &';
    const script = `trap "echo asked; exit 0" TERM; ${stopped} kill -STOP $$; sleep 100`;
    await host.boot(bootPlan([app('app', 1, script)]));
    await host.streams.text(11, 'up');
    host.send({ type: 'stop' });
    expect(await host.exitOf('app')).toBe(0);
    await host.finish();
  });

  test('a signal goes to the named app alone', async () => {
    await using host = suite.start();
    const script = 'trap "echo got it; exit 0" USR1; echo up; while :; do sleep 0.05; done';
    await host.boot(bootPlan([app('one', 1, script), app('two', 2, 'sleep 0.7')]));
    await host.streams.text(11, 'up');
    host.send({ type: 'signal', target: 'one', signal: 10 });
    host.send({ type: 'signal', target: 'nobody', signal: 9 });
    expect(await host.exitOf('one')).toBe(0);
    expect((await host.streams.whole(11)).toString()).toBe('up\ngot it\n');
    expect(await host.exitOf('two')).toBe(0);
    await host.finish();
  });

  test('power-off needs no ceremony', async () => {
    await using host = suite.start();
    await host.boot(bootPlan([app('app', 1, stubborn)]));
    await host.streams.text(11, 'up');
    host.send({ type: 'power-off' });
    expect(await host.gone()).toBe(0);
  });
});
