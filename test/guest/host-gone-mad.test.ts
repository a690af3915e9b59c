import { describe, expect, test } from 'vitest';
import { guestSuite } from './guest-suite.ts';
import { appPlan, bootPlan, shell } from './pod-fixture.ts';

const suite = guestSuite();
const sleeper = () => bootPlan([appPlan('app', suite.root(), shell('echo up; sleep 1000'))]);

describe('PID 1 ends, and says why,', () => {
  const rubbish: readonly [string, string, RegExp][] = [
    ['text that is no JSON', 'rubbish', /./],
    ['a list', '[1]', /host message: expected an object/],
    ['a type nobody knows', '{"type":"dance"}', /unknown type "dance"/],
    ['another protocol', '{"type":"boot","version":99,"plan":{}}', /speaks protocol 99, this init \d/],
    ['a plan without its parts', '{"type":"boot","version":1,"plan":{"machine":null}}', /./],
    ['a session without streams', '{"type":"exec","id":"exec-1","app":"app"}', /./],
  ];
  test.each(rubbish)('when it hears %s', async (_, text, reason) => {
    await using host = suite.start();
    await host.next('hello');
    host.sendText(text);
    expect((await host.next('fatal')).message).toMatch(reason);
    expect(host.console).toMatch(/guest-init\/.*\.ts:\d+/);
    expect(await host.gone()).toBe(1);
  });

  test('when it hears a second plan', async () => {
    await using host = suite.start();
    await host.boot(sleeper());
    await host.next('started', 'app');
    await host.boot(sleeper());
    expect((await host.next('fatal')).message).toBe('a second boot plan');
    expect(await host.gone()).toBe(1);
  });

  test.each([['a frame longer than any sender may send', [1, 0, 0, 0, 255, 255, 255, 255]]])(
    'when it gets %s',
    async (_, bytes) => {
      await using host = suite.start();
      await host.boot(sleeper());
      await host.next('started', 'app');
      host.streams.raw(Uint8Array.from(bytes));
      expect((await host.next('fatal')).message).toMatch(/^data channel: /);
      expect(await host.gone()).toBe(1);
    },
  );
});

describe('PID 1 ends at once', () => {
  test('when a message is longer than any may be', async () => {
    await using host = suite.start();
    await host.next('hello');
    host.sendBytes(Uint8Array.from([255, 255, 255, 255]));
    expect(await host.gone()).toBe(0);
  });

  test('when the host has gone', async () => {
    await using host = suite.start();
    await host.boot(sleeper());
    await host.streams.text(11, 'up');
    host.hangUp();
    expect(await host.gone()).toBe(0);
  });
});

test('anywhere but as PID 1 it refuses to start', async () => {
  const { spawnSync } = await import('node:child_process');
  const { compiledInit } = await import('./pod-fixture.ts');
  const { status, stderr } = spawnSync(await compiledInit(), ['--channel-fds'], { encoding: 'utf8' });
  expect(stderr).toMatch(/for PID 1 of a pod only/);
  expect(status).toBe(125);
});
