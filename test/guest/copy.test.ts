import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { CopyPlan } from '../../src/abi/copy-plan.ts';
import { guestSuite } from './guest-suite.ts';
import { appPlan, bootPlan, pipes, shell } from './pod-fixture.ts';
import type { ScriptedHost } from './scripted-host.ts';

const suite = guestSuite();
const SIGHUP = 1;

/** An app without capabilities, whose user is nobody: what copies has rights of its own. */
async function running(root: string): Promise<ScriptedHost> {
  const host = suite.start();
  const process = shell('echo up; sleep 1000', { uid: 7, gid: 7, capabilities: [] });
  await host.boot(bootPlan([appPlan('app', root, process)]));
  await host.streams.text(11, 'up');
  return host;
}

function copy(host: ScriptedHost, plan: CopyPlan): void {
  const process = shell('exit 9', { uid: 7, gid: 7, capabilities: [] });
  host.send({ type: 'exec', id: 'exec-1', app: 'app', process, streams: pipes(9, true), copy: plan });
}

test('a copying session archives a path of its app’s root, and leads nowhere else', async () => {
  const root = suite.root();
  mkdirSync(join(root, 'secret'), { mode: 0o700 });
  writeFileSync(join(root, 'secret/file'), 'content', { mode: 0o600 });
  symlinkSync('/', join(root, 'secret/up'));
  symlinkSync('../../../..', join(root, 'secret/dots'));
  await using host = await running(root);
  copy(host, { direction: 'out', path: '/secret/up/secret/dots/secret', name: 'named' });
  host.streams.end(90);
  const tar = await host.streams.whole(91);
  expect(await host.exitOf('exec-1')).toBe(0);
  expect(execFileSync('tar', ['-t'], { input: tar, encoding: 'utf8' })).toBe(
    'named/\nnamed/dots\nnamed/file\nnamed/up\n',
  );
  expect(execFileSync('tar', ['-xO', 'named/file'], { input: tar, encoding: 'utf8' })).toBe('content');
});

test('a copying session makes files with their owners, and ends with its input', async () => {
  const root = suite.root();
  const outside = join(root, '../outside');
  symlinkSync(join('/', outside), join(root, 'tmp/link'));
  await using host = await running(root);
  copy(host, { direction: 'in', path: '/tmp', name: null });
  const given = join(root, '../given');
  mkdirSync(join(given, 'dir'), { recursive: true });
  writeFileSync(join(given, 'dir/file'), 'x'.repeat(300_000));
  const flags = ['--format=ustar', '--owner=1234', '--group=5678', '--mode=640', '--numeric-owner'];
  const tar = execFileSync('tar', ['-c', ...flags, '-C', given, 'dir/file'], { maxBuffer: 2 ** 24 });
  host.streams.write(90, tar);
  host.streams.end(90);
  expect(await host.exitOf('exec-1')).toBe(0);
  const made = statSync(join(root, 'tmp/dir/file'));
  expect([made.uid, made.gid, made.mode & 0o7777, made.size]).toEqual([1234, 5678, 0o640, 300_000]);
  expect(existsSync(outside)).toBe(false);
  expect(lstatSync(join(root, 'tmp/link')).isSymbolicLink()).toBe(true);
});

test('a copying session says why it fails', async () => {
  const root = suite.root();
  await using host = await running(root);
  copy(host, { direction: 'out', path: '/absent', name: 'absent' });
  host.streams.end(90);
  expect((await host.streams.whole(92)).toString()).toBe(
    "ENOENT: no such file or directory, open '/absent'\n",
  );
  expect(await host.exitOf('exec-1')).toBe(254);
});

test('a copying session whose archive is cut short fails, and keeps what it has made', async () => {
  const root = suite.root();
  await using host = await running(root);
  copy(host, { direction: 'in', path: '/tmp', name: null });
  writeFileSync(join(root, '../one'), 'one');
  const tar = execFileSync('tar', ['-c', '--format=ustar', '-C', join(root, '..'), 'one']);
  host.streams.write(90, tar.subarray(0, 1024));
  host.streams.end(90);
  expect((await host.streams.whole(92)).toString()).toBe('the archive ends too early\n');
  expect(await host.exitOf('exec-1')).toBe(254);
  expect(readFileSync(join(root, 'tmp/one'), 'utf8')).toBe('one');
});

test('a copying session whose caller has gone ends', async () => {
  await using host = await running(suite.root());
  copy(host, { direction: 'in', path: '/tmp', name: null });
  await host.next('started', 'exec-1');
  host.send({ type: 'signal', target: 'exec-1', signal: SIGHUP });
  expect(await host.exitOf('exec-1')).toBe(129);
});
