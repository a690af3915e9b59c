import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import type { AppPlan } from '../../src/abi/boot-plan.ts';
import { notifyProgram } from '../support/notify-program.ts';
import { guestSuite } from './guest-suite.ts';
import { appPlan, bootPlan, pipes, shell } from './pod-fixture.ts';

const suite = guestSuite();
let program = '';
beforeAll(async () => {
  program = await notifyProgram();
});

function app(name: string, number: number, script: string, changes: Partial<AppPlan> = {}): AppPlan {
  const root = suite.root(name);
  copyFileSync(program, join(root, 'bin', 'say'));
  const env = ['PATH=/bin', 'NOTIFY_SOCKET=/dev/rkt/notify'];
  const process = shell(script, { env, uid: 1000, gid: 1000, capabilities: [] });
  return appPlan(name, root, process, { streams: pipes(number), notify: true, ...changes });
}

const notice = (id: string, state: string | null, status: string | null) => ({
  type: 'notify',
  id,
  state,
  status,
});
const told = (messages: readonly { readonly type: string }[]) =>
  messages.filter(({ type }) => !['hello', 'credit'].includes(type));

test('what an app of any user says of itself is passed on in order, its last words too', async () => {
  await using host = suite.start();
  const script = 'say STATUS=loading; say WATCHDOG=1; say READY=1 STATUS=up; say STOPPING=1; exit 3';
  await host.boot(bootPlan([app('app', 1, script)]));
  await host.finish();
  expect(told(host.messages)).toEqual([
    expect.objectContaining({ type: 'started' }),
    notice('app', null, 'loading'),
    notice('app', 'ready', 'up'),
    notice('app', 'stopping', null),
    expect.objectContaining({ type: 'exited' }),
    { type: 'ended' },
  ]);
});

test('each app of a pod speaks for itself, and again after a restart', async () => {
  await using host = suite.start();
  const restart = { policy: 'on-failure', most: 1 } as const;
  const first = app('one', 1, 'say READY=1 STATUS=$$; exit 3', { restart });
  await host.boot(bootPlan([first, app('two', 2, 'say STATUS=two; sleep 1')]));
  await host.finish();
  const notices = host.messages.filter(({ type }) => type === 'notify');
  expect(notices.filter((message) => 'id' in message && message.id === 'one')).toHaveLength(2);
  expect(notices).toContainEqual(notice('two', null, 'two'));
});

test('a flood of words reaches the host as a trickle, and the app waits', async () => {
  await using host = suite.start();
  const script = 'n=0; while say STATUS=x && test $n -lt 5000; do n=$((n + 1)); done; echo $n';
  await host.boot(bootPlan([app('app', 1, script)]));
  const count = Number((await host.streams.whole(11)).toString());
  await host.finish();
  // The kernel queues ten or so, and the next one would have to wait.
  expect(count).toBeLessThan(5000);
  expect(host.messages.filter(({ type }) => type === 'notify').length).toBeGreaterThanOrEqual(count);
});

test('nothing is listened to for an app that has no say', async () => {
  await using host = suite.start();
  await host.boot(bootPlan([app('app', 1, 'ls /dev/rkt 2>&1; say READY=1', { notify: false })]));
  expect((await host.streams.whole(11)).toString()).toMatch(/no such file/i);
  await host.finish();
  expect(host.messages.filter(({ type }) => type === 'notify')).toEqual([]);
});
