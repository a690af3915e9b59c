import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { failureOf } from '../../../src/os/call.ts';
import { rootDir } from '../../../tools/paths.ts';
import { eventually } from '../../support/polling.ts';

let dir = '';
beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'rkt-call-')));
});
afterEach(() => rmSync(dir, { recursive: true }));

const call = (script: string, timeout = 60_000) =>
  failureOf({ path: '/bin/sh', args: ['-c', script, 'sh', 'word'], cwd: dir, timeout });

test('success has nothing to tell', async () => {
  expect(await call('echo fine')).toBeUndefined();
});

test('a failure is what was said on both streams, in that order, or else the exit code', async () => {
  expect(await call('pwd; echo $1 >&2; cat; echo last; exit 3')).toBe(`${dir}\nword\nlast`);
  expect(await call('exit 3')).toBe('exit code 3');
  expect(await call('kill -KILL $$')).toBe('it was ended by SIGKILL');
});

test('of what is said at length, the beginning is told', async () => {
  expect(await call("printf '%0200000d' 0; exit 1")).toHaveLength(64 * 1024);
});

test('what is beyond that takes no memory', async () => {
  const loud = "exec 3>&1; head -c 1000000 /dev/zero | tr '\\0' a";
  const isSmall = '[ "$(stat -L -c %b /proc/self/fd/3)" -le 128 ]';
  expect(await call(`${loud}; until ${isSmall}; do sleep 0.05; done; : > small; exit 1`)).toHaveLength(
    64 * 1024,
  );
  expect(existsSync(join(dir, 'small'))).toBe(true);
});

/** A process of ours with two calls. Each of their programs says that it waits, and, in the order of their ends, that it has ended. */
function callers(trap: string, then = ''): ChildProcessByStdio<null, Readable, null> {
  const program = `trap '${trap}' TERM; echo waits >> said; while :; do sleep 0.05; done`;
  const call = { path: '/bin/sh', args: ['-c', program], cwd: dir, timeout: 60_000 };
  const caller = `
    import { failureOf } from ${JSON.stringify(join(rootDir, 'src/os/call.ts'))};
    const calls = [failureOf(${JSON.stringify(call)}), failureOf(${JSON.stringify(call)})];
    ${then}
    for (const call of calls) call.then(() => console.log('went on'));`;
  const args = ['--import', 'tsx', '--input-type=module', '--eval', caller];
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], cwd: rootDir });
}

const said = () => (existsSync(join(dir, 'said')) ? readFileSync(join(dir, 'said'), 'utf8').split('\n') : []);
const bothWait = () => eventually('both wait', () => said().length === 3);

test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
  'a process that %s tells to end does so when its programs have, and does nothing more',
  async (name) => {
    const caller = callers('echo ended >> said; exit 1');
    const output = text(caller.stdout);
    await bothWait();
    caller.kill(name);
    expect(await once(caller, 'exit')).toEqual([null, name]);
    expect([said(), await output]).toEqual([['waits', 'waits', 'ended', 'ended', ''], '']);
  },
);

test('who is told twice is in a hurry', async () => {
  const caller = callers('echo told >> said');
  await bothWait();
  caller.kill('SIGTERM');
  await eventually('both are told', () => said().length === 5);
  caller.kill('SIGTERM');
  expect(await once(caller, 'exit')).toEqual([null, 'SIGTERM']);
});

test('who listens for signals decides; and programs end with a process that ends by itself', async () => {
  const caller = callers('echo ended >> said; exit 1', "process.once('SIGTERM', () => process.exit(7));");
  await bothWait();
  caller.kill('SIGTERM');
  expect(await once(caller, 'exit')).toEqual([7, null]);
  await eventually('both have ended', () => said().length === 5);
});

test('what takes too long is told to end', async () => {
  expect(await call('exec sleep 1000', 100)).toBe('it was ended by SIGTERM');
});

test('what a program leaves running does not keep its caller', async () => {
  expect(await call('sleep 1000 & echo $! > pid')).toBeUndefined();
  expect(await call('kill $(cat pid)')).toBeUndefined();
});

test('what a program leaves running has nobody to tell more', async () => {
  expect(
    await call('(while echo more; do sleep 0.05; done 2> /dev/null; : > refused) & exit 0'),
  ).toBeUndefined();
  await eventually('it is refused', () => existsSync(join(dir, 'refused')));
});

test('a program that cannot be started is a failure', async () => {
  const path = join(dir, 'none');
  expect(await failureOf({ path, args: [], cwd: dir, timeout: 60_000 })).toBe(`spawn ${path} ENOENT`);
});
