import { expect, test } from 'vitest';
import { guestSuite } from './guest-suite.ts';
import { appPlan, bootPlan, shell } from './pod-fixture.ts';

const suite = guestSuite();
const TERMINAL = { kind: 'terminal', stream: 5, rows: 24, columns: 80 } as const;
const boot = (script: string, changes = {}) =>
  bootPlan([appPlan('app', suite.root(), shell(script, changes), { streams: TERMINAL })]);

test('an app gets a terminal of its own, of the size the host says', async () => {
  await using host = suite.start();
  await host.boot(
    boot('tty; stty size; ls -l /dev/console; tty < /dev/console; echo console > /dev/console'),
  );
  const said = (await host.streams.whole(5)).toString();
  expect(said).toMatch(/^\/dev\/pts\/0\r\n24 80\r\ncrw.* 136, +0 .*\/dev\/console\r\n/);
  expect(said).toMatch(/console\r\n$/);
  await host.finish();
});

test('a change of size reaches the app as a signal', async () => {
  await using host = suite.start();
  await host.boot(boot('trap "stty size; exit 0" WINCH; echo ready; while :; do sleep 0.05; done'));
  await host.streams.text(5, 'ready');
  host.send({ type: 'resize', stream: 5, rows: 50, columns: 132 });
  expect((await host.streams.whole(5)).toString()).toBe('ready\r\n50 132\r\n');
  host.send({ type: 'resize', stream: 5, rows: 1, columns: 1 });
  await host.finish();
});

test('a change of size that comes before the terminal is not lost', async () => {
  await using host = suite.start();
  await host.boot(boot('until stty size | grep -q "^33 99$"; do sleep 0.1; done; stty size'));
  host.send({ type: 'resize', stream: 5, rows: 33, columns: 99 });
  expect((await host.streams.whole(5)).toString()).toBe('33 99\r\n');
  await host.finish();
});

test('what is typed arrives, and Ctrl-C interrupts', async () => {
  await using host = suite.start();
  await host.boot(
    boot('trap "echo interrupted; exit 9" INT; read line; echo "got $line"; while :; do sleep 0.05; done'),
  );
  await host.next('started', 'app');
  host.streams.write(5, 'hello\n');
  await host.streams.text(5, 'got hello');
  host.streams.write(5, '\x03');
  expect(await host.exitOf('app')).toBe(9);
  expect((await host.streams.whole(5)).toString()).toMatch(/interrupted(\^C)?\r\n(\^C)?$/);
  await host.finish();
});

test('the terminal belongs to its user', async () => {
  await using host = suite.start();
  await host.boot(boot('echo mine > $(tty); ls -ln $(tty)', { uid: 1000, gid: 1000 }));
  expect((await host.streams.whole(5)).toString()).toMatch(/^mine\r\ncrw--w---- +1 1000 +5 /);
  await host.finish();
});

test('much output through a terminal arrives whole', async () => {
  await using host = suite.start();
  await host.boot(boot('head -c 2000000 /dev/zero | tr "\\0" x'));
  expect((await host.streams.whole(5)).length).toBe(2_000_000);
  await host.finish();
});

test('a terminal that could not be had ends its stream all the same', async () => {
  await using host = suite.start();
  const app = appPlan('app', suite.root('bare'), shell('true'), { streams: TERMINAL, mounts: [] });
  await host.boot(bootPlan([app]));
  expect(await host.next('failed', 'app')).toMatchObject({
    step: 'streams',
    message: expect.stringMatching(/\/dev\/ptmx/),
  });
  expect((await host.streams.whole(5)).length).toBe(0);
  await host.finish();
});
