import { describe, expect, test } from 'vitest';
import type { AppPlan, CoverPlan } from '../../src/abi/boot-plan.ts';
import { guestSuite } from './guest-suite.ts';
import { appPlan, bootPlan, pipes, shell } from './pod-fixture.ts';

const suite = guestSuite();
const HOSTS: CoverPlan = {
  ...{ path: '/etc/hosts', mode: 0o644, content: '127.0.0.1 localhost\n' },
  ...{ readOnly: false, names: true },
};
const app = (name: string, number: number, script: string, changes: Partial<AppPlan> = {}) =>
  appPlan(name, suite.root(name), shell(script), { streams: pipes(number), ...changes });

describe('PID 1 that has gone through a pod ahead of its own', () => {
  test('goes through the next one as if there had been none', async () => {
    await using host = suite.start();
    const first = app('first', 1, 'echo first; cat /etc/hosts > /dev/null; exit 3', { covers: [HOSTS] });
    await host.boot(bootPlan([first], { hostname: 'ahead', names: '192.0.2.9 other\n' }));
    expect(await host.exitOf('first')).toBe(3);
    await host.renew();
    const script = 'hostname; cat /etc/hosts; ps -o comm | grep -c sleep; exit 4';
    await host.boot(bootPlan([app('second', 2, script, { covers: [HOSTS] })]));
    expect((await host.streams.whole(21)).toString()).toBe('pod-under-test\n127.0.0.1 localhost\n0\n');
    expect(await host.exitOf('second')).toBe(4);
    expect(await host.finish()).toBe(0);
    expect(host.messages.map(({ type }) => type)).toEqual(['hello', 'started', 'exited', 'ended']);
    expect(host.console).toBe('');
  });

  test('takes the same app again, and has the streams of the first no more', async () => {
    await using host = suite.start();
    const script = 'cat; (sleep 1000 &); exit 0';
    await host.boot(bootPlan([app('app', 1, script, { streams: pipes(1, true) })]));
    host.streams.write(10, 'typed\n');
    host.streams.end(10);
    expect((await host.streams.whole(11)).toString()).toBe('typed\n');
    await host.renew();
    await host.boot(bootPlan([app('app', 2, 'cat', { streams: pipes(2, true) })]));
    await host.next('started', 'app');
    // Of an app that is over.
    host.send({ type: 'credit', stream: 11, bytes: 10 });
    host.send({ type: 'close', stream: 12 });
    host.streams.write(20, 'typed again\n');
    host.streams.end(20);
    expect((await host.streams.whole(21)).toString()).toBe('typed again\n');
    expect(await host.exitOf('app')).toBe(0);
    await host.finish();
  });

  test('refuses to forget a pod that is not over', async () => {
    await using host = suite.start();
    await host.boot(bootPlan([app('app', 1, 'sleep 1000')]));
    await host.next('started', 'app');
    host.send({ type: 'renew' });
    expect((await host.next('fatal')).message).toBe('the pod is not over');
    expect(await host.gone()).toBe(1);
  });

  test('refuses to forget a pod that there never was', async () => {
    await using host = suite.start();
    await host.next('hello');
    host.send({ type: 'renew' });
    expect((await host.next('fatal')).message).toBe('the pod is not over');
    expect(await host.gone()).toBe(1);
  });
});
