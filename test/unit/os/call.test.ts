import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { failureOf } from '../../../src/os/call.ts';

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

test('what takes too long is told to end', async () => {
  expect(await call('exec sleep 1000', 100)).toBe('it was ended by SIGTERM');
});

test('what a program leaves running does not keep its caller', async () => {
  expect(await call('sleep 1000 & echo $! > pid')).toBeUndefined();
  expect(await call('kill $(cat pid)')).toBeUndefined();
});

test('a program that cannot be started is a failure', async () => {
  const path = join(dir, 'none');
  expect(await failureOf({ path, args: [], cwd: dir, timeout: 60_000 })).toBe(`spawn ${path} ENOENT`);
});
