import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startDetached } from '../../../src/os/detached.ts';
import { tryExclusive } from '../../../src/os/lock.ts';
import { eventually } from '../../support/polling.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'rkt-detached-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

function start(script: string, fds: readonly number[] = []) {
  const stderr = openSync(join(dir, 'stderr'), 'a+');
  const argv = ['story', '-c', script];
  const environment = ['WORD=a=b', 'PATH=/usr/bin:/bin'];
  return startDetached({ path: '/bin/sh', argv, environment, fds }, dir, stderr);
}
const said = () => readFileSync(join(dir, 'stderr'), 'utf8');

test('leads a session of its own, reads nothing, and has the fds that it is given', async () => {
  const file = openSync('/etc/passwd', 'r');
  const script =
    'exec >&2; pwd; echo "$0 $WORD"; cat; readlink /proc/$$/fd/3; cut -d" " -f6 /proc/$$/stat; echo $$; exit 7';
  expect(await start(script, [file]).ended).toBe(7);
  const [directory, words, third, session, pid] = said().trim().split('\n');
  expect([directory, words, third]).toEqual([dir, 'story a=b', '/etc/passwd']);
  expect(session).toBe(pid);
});

test('keeps the lock whose holder has left it, to its end', async () => {
  const lock = tryExclusive(dir);
  const process = start('echo up >&2; exec sleep 1000', [lock?.fd ?? -1]);
  lock?.leave();
  lock?.release();
  await eventually('it is up', () => said() === 'up\n');
  expect(tryExclusive(dir)).toBeUndefined();
  process.signal('SIGTERM');
  expect(await process.ended).toBe(143);
  using again = tryExclusive(dir);
  expect(again).toBeDefined();
});

test('that cannot be started is an error', async () => {
  const stderr = openSync(join(dir, 'stderr'), 'a+');
  const program = { path: join(dir, 'none'), argv: ['none'], environment: [], fds: [] };
  await expect(startDetached(program, dir, stderr).ended).rejects.toThrow('ENOENT');
});
