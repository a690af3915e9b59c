import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ProcessPlan, StreamsPlan } from '../../src/abi/boot-plan.ts';
import { guestSuite } from './guest-suite.ts';
import { appPlan, bootPlan, pipes, shell } from './pod-fixture.ts';
import type { ScriptedHost } from './scripted-host.ts';

const suite = guestSuite();
const TERMINAL = { kind: 'terminal', stream: 90, rows: 30, columns: 100 } as const;

async function running(script = 'echo up; sleep 1000'): Promise<ScriptedHost> {
  const host = suite.start();
  await host.boot(bootPlan([appPlan('app', suite.root(), shell(`echo mark > /dev/mark; ${script}`))]));
  await host.streams.text(11, 'up');
  return host;
}

function exec(host: ScriptedHost, process: ProcessPlan, streams: StreamsPlan = pipes(9, true)): void {
  host.send({ type: 'exec', id: 'exec-1', app: 'app', process, streams });
}

test('a session sees its app’s root, mounts and processes, and has its code told', async () => {
  await using host = await running();
  exec(
    host,
    shell('cat /dev/mark; pwd; ps -o args | grep -c "[s]leep 1000"; exit 5', { workingDirectory: '/etc' }),
  );
  expect((await host.streams.whole(91)).toString()).toBe('mark\n/etc\n1\n');
  expect(await host.exitOf('exec-1')).toBe(5);
  host.send({ type: 'stop' });
  expect(await host.exitOf('app')).toBe(143);
  await host.finish();
});

test('a session is confined as its plan says', async () => {
  await using host = await running();
  exec(
    host,
    shell('id -u; grep -E "CapBnd|NoNewPrivs" /proc/self/status', {
      uid: 7,
      gid: 7,
      capabilities: [],
      noNewPrivileges: true,
    }),
  );
  expect((await host.streams.whole(91)).toString()).toBe('7\nCapBnd:\t0000000000000000\nNoNewPrivs:\t1\n');
});

test('a session with a terminal of the app’s', async () => {
  await using host = await running();
  exec(host, shell('stty size; tty; echo ready; read line; echo "got $line"'), TERMINAL);
  await host.streams.text(90, 'ready');
  host.streams.write(90, 'words\n');
  expect((await host.streams.whole(90)).toString()).toBe(
    '30 100\r\n/dev/pts/0\r\nready\r\nwords\r\ngot words\r\n',
  );
  expect(await host.exitOf('exec-1')).toBe(0);
});

test('a session that fails does not end the pod; its signals are its own', async () => {
  await using host = await running();
  exec(host, shell('echo in; sleep 1000'));
  await host.streams.text(91, 'in');
  host.send({ type: 'signal', target: 'exec-1', signal: 9 });
  expect(await host.exitOf('exec-1')).toBe(137);
  expect(host.messages.filter(({ type }) => type === 'exited')).toHaveLength(1);
  host.send({ type: 'stop' });
  expect(await host.exitOf('app')).toBe(143);
  await host.finish();
});

test('a session is ended with all that it has started, and nothing else', async () => {
  await using host = await running('sleep 977 & echo up; sleep 1000');
  exec(host, shell('sleep 977 & sleep 977 & echo in; sleep 977'));
  await host.streams.text(91, 'in');
  host.send({ type: 'end-session', id: 'exec-1' });
  expect(await host.exitOf('exec-1')).toBe(137);
  // Nobody holds its pipes any more.
  expect((await host.streams.whole(91)).toString()).toBe('in\n');
  const streams = pipes(8);
  host.send({
    type: 'exec',
    id: 'exec-2',
    app: 'app',
    process: shell(
      'until ps -o args | grep -q "^sleep 977"; do sleep 0.1; done; ps -o args | grep -c "^sleep 977"',
    ),
    streams,
  });
  expect((await host.streams.whole(81)).toString()).toBe('1\n');
  // It has gone, and so there is nothing to end.
  host.send({ type: 'end-session', id: 'exec-1' });
  host.send({ type: 'stop' });
  await host.finish();
});

test('a session whose program is missing says so, and ends its streams', async () => {
  await using host = await running();
  exec(host, { ...shell(''), argv: ['absent'] });
  expect(await host.next('failed', 'exec-1')).toMatchObject({
    step: 'exec',
    message: expect.stringMatching(/not found/),
  });
  expect((await host.streams.whole(91)).length).toBe(0);
});

test('there is no session in an app that is not there', async () => {
  await using host = await running();
  host.send({ type: 'exec', id: 'exec-2', app: 'other', process: shell('true'), streams: pipes(9) });
  expect(await host.next('failed', 'exec-2')).toMatchObject({ message: 'app other is not running' });
  expect((await host.streams.whole(91)).length).toBe(0);
});

test('sessions end with the pod', async () => {
  const end = join(suite.root(), 'end');
  await using host = await running('echo up; until [ -e /end ]; do sleep 0.1; done; rm /end; exit 0');
  exec(host, shell('trap "" TERM; echo in; while :; do sleep 0.1; done'));
  await host.streams.text(91, 'in');
  writeFileSync(end, '');
  expect(await host.exitOf('app')).toBe(0);
  expect(await host.exitOf('exec-1')).toBe(137);
  expect(await host.finish()).toBe(0);
});

test('many sessions leave nothing open in PID 1, and nobody behind', async () => {
  await using host = suite.start();
  const SYS_PTRACE = 19;
  const watcher = 'while read line; do ls /proc/1/fd | wc -l; done';
  const process = shell(watcher, { capabilities: [SYS_PTRACE] });
  await host.boot(bootPlan([appPlan('app', suite.root(), process, { streams: pipes(1, true) })]));
  await host.next('started', 'app');
  const session = async (number: number) => {
    const id = `exec-${number}`;
    const stream = 1000 + 10 * number;
    const streams = number % 2 === 0 ? { ...TERMINAL, stream } : pipes(stream / 10, true);
    host.send({ type: 'exec', id, app: 'app', process: shell('echo said'), streams });
    expect(await host.exitOf(id)).toBe(0);
    const output = number % 2 === 0 ? stream : stream + 1;
    expect((await host.streams.whole(output)).toString().trim()).toBe('said');
    host.streams.end(stream);
  };
  await session(1);
  await session(2);
  host.streams.write(10, '\n');
  const before = await host.streams.text(11, /\d+\n/);
  for (let number = 3; number <= 30; number++) await session(number);
  host.streams.write(10, '\n');
  expect(await host.streams.text(11, /\d+\n\d+\n/)).toBe(`${before}${before}`);
  host.streams.end(10);
  await host.finish();
});

test('input that overtakes its session’s message is kept for it', async () => {
  await using host = await running();
  host.streams.write(90, 'early ');
  host.streams.write(190, 'typed early\n');
  await new Promise((resolve) => setTimeout(resolve, 100));
  exec(host, shell('cat'));
  host.streams.write(90, 'late\n');
  host.streams.end(90);
  expect((await host.streams.whole(91)).toString()).toBe('early late\n');
  const streams = { ...TERMINAL, stream: 190 };
  host.send({
    type: 'exec',
    id: 'exec-2',
    app: 'app',
    process: shell('read line; echo "got $line"'),
    streams,
  });
  expect((await host.streams.whole(190)).toString()).toMatch(/got typed early\r\n$/);
});

test('input for a session that does not come to be goes nowhere', async () => {
  await using host = await running();
  const streams = pipes(9, true);
  host.streams.write(90, Buffer.alloc(1_000_000));
  host.send({ type: 'exec', id: 'exec-2', app: 'other', process: shell('true'), streams });
  await host.streams.until(() => host.streams.unsent(90) === 0);
  host.streams.end(90);
});
