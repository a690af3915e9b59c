import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { AppPlan, MountPlanEntry } from '../../src/abi/boot-plan.ts';
import { guestSuite } from './guest-suite.ts';
import { appPlan, bootPlan, shell } from './pod-fixture.ts';

const suite = guestSuite();

async function said(root: string, script: string, changes: Partial<AppPlan> = {}): Promise<string> {
  await using host = suite.start();
  await host.boot(bootPlan([appPlan('app', root, shell(`exec 2>&1; ${script}`), changes)]));
  const output = (await host.streams.whole(11)).toString();
  await host.finish();
  return output;
}

const PROC: MountPlanEntry = { kind: 'filesystem', type: 'proc', target: '/proc', flags: [], data: '' };

test('an app has the devices that programs expect, and no others', async () => {
  const output = await said(
    suite.root(),
    'cd /dev; find . -type c | sort; find . -type b; for link in fd stdin stdout stderr ptmx; do readlink $link; done; stat -c %a shm; stat -c %a null',
  );
  expect(output.split('\n')).toEqual([
    './full',
    './net/tun',
    './null',
    './pts/ptmx',
    './random',
    './tty',
    './urandom',
    './zero',
    '/proc/self/fd',
    '/proc/self/fd/0',
    '/proc/self/fd/1',
    '/proc/self/fd/2',
    'pts/ptmx',
    '1777',
    '666',
    '',
  ]);
});

const DEVICES = ['full', 'mqueue', 'net/tun', 'null', 'pts', 'random', 'shm', 'tty', 'urandom', 'zero'].map(
  (name) => `/dev/${name}`,
);

test('what an app makes by the number of a device is none, and a device is nobody’s to change', async () => {
  const script = 'mknod /dev/mine c 1 5; cat /dev/mine; chmod 0 /dev/null; echo x > /dev/null && echo fine';
  const output = await said(suite.root(), script);
  expect(output).toContain("can't open '/dev/mine': Permission denied\n");
  expect(output).toMatch(/chmod: \/dev\/null: Read-only file system\nfine\n$/);
});

test('nothing of the old root is left', async () => {
  expect(await said(suite.root(), 'cut -d" " -f5 /proc/self/mountinfo | sort')).toBe(
    `${['/', '/dev', ...DEVICES, '/proc'].join('\n')}\n`,
  );
});

test('a read-only root may be written nowhere but on its mounts', async () => {
  const mounts: readonly MountPlanEntry[] = [
    PROC,
    { kind: 'dev', target: '/dev' },
    { kind: 'filesystem', type: 'tmpfs', target: '/data', flags: ['nosuid', 'nodev'], data: 'mode=0700' },
  ];
  const script = 'touch /file; touch /data/file && echo fine; grep " /data " /proc/mounts';
  const output = await said(suite.root(), script, { readOnlyRoot: true, mounts });
  expect(output).toMatch(/^touch: \/file: Read-only file system\nfine\ntmpfs \/data tmpfs rw,nosuid,nodev,/);
});

test('parts of /proc are hidden or read-only, and what a kernel lacks is passed over', async () => {
  const mounts: readonly MountPlanEntry[] = [
    PROC,
    { kind: 'dev', target: '/dev' },
    { kind: 'read-only', target: '/proc/sys' },
    { kind: 'hidden', target: '/proc/meminfo' },
    { kind: 'hidden', target: '/proc/bus' },
    { kind: 'read-only', target: '/proc/no-such-thing' },
    { kind: 'hidden', target: '/proc/no-such-thing' },
  ];
  const script =
    'echo x > /proc/sys/kernel/domainname; cat /proc/meminfo; ls -A /proc/bus; touch /proc/bus/x';
  const output = await said(suite.root(), script, { mounts });
  expect(output).toMatch(/domainname: Read-only file system/);
  expect(output).toMatch(/touch: \/proc\/bus\/x: Read-only file system/);
  expect(output).not.toMatch(/MemTotal/);
});

test('what is to be hidden is, or there is no app', async () => {
  await using host = suite.start();
  const mounts: readonly MountPlanEntry[] = [
    PROC,
    { kind: 'filesystem', type: 'tmpfs', target: '/dev', flags: [], data: '' },
    { kind: 'hidden', target: '/proc/meminfo' },
  ];
  await host.boot(bootPlan([appPlan('app', suite.root(), shell('cat /proc/meminfo'), { mounts })]));
  expect(await host.next('failed', 'app')).toMatchObject({
    step: 'mount',
    message: '/proc/meminfo is to be hidden, and what is mounted at /dev has no null device',
  });
  await host.finish();
});

test('files are written where the image has none', async () => {
  const root = suite.root('files');
  writeFileSync(join(root, 'etc', 'hosts'), 'of the image\n');
  symlinkSync('../run/nowhere/stub', join(root, 'etc', 'resolv.conf'));
  const file = (path: string, content: string) => ({ path, mode: 0o640, content });
  const files = [
    file('/etc/hosts', 'of the plan\n'),
    file('/etc/resolv.conf', 'nameserver 192.0.2.1\n'),
    file('/deep/er/file', 'deep\n'),
  ];
  const script = 'cat /etc/hosts /etc/resolv.conf /deep/er/file; stat -c %a /deep/er/file /deep';
  expect(await said(root, script, { files, readOnlyRoot: true })).toBe(
    'of the image\nnameserver 192.0.2.1\ndeep\n640\n755\n',
  );
});

test('an image without /tmp gets one, and its own stays as it is', async () => {
  const root = suite.root('without');
  rmSync(join(root, 'tmp'), { recursive: true });
  const look = 'stat -c "%a %u" /tmp; readlink /tmp';
  expect(await said(root, look, { readOnlyRoot: true })).toBe('1777 0\n');
  const linked = suite.root('linked');
  rmSync(join(linked, 'tmp'), { recursive: true });
  symlinkSync('var/nowhere', join(linked, 'tmp'));
  expect(await said(linked, look)).toBe('777 0\nvar/nowhere\n');
});

test('links of a hostile image lead nowhere but into it', async () => {
  const root = suite.root('hostile');
  const outside = join(root, '..', 'outside');
  mkdirSync(outside);
  mkdirSync(join(root, 'inside'));
  // As the image sees it, the first is a path inside it; followed from outside, both would leave it.
  symlinkSync(outside, join(root, 'dev'));
  symlinkSync('../../../../inside', join(root, 'proc'));
  mkdirSync(join(root, outside), { recursive: true });
  symlinkSync(`${outside}/passwd`, join(root, 'etc', 'passwd'));
  const files = [{ path: '/etc/passwd', mode: 0o644, content: 'root\n' }];
  const output = await said(root, 'cut -d" " -f5 /proc/self/mountinfo | sort | head -3', { files });
  expect(output).toBe(`/\n/inside\n${outside}\n`);
  expect(readdirSync(outside)).toEqual([]);
  expect(existsSync(join(root, 'etc', 'passwd')) && readFileSync(join(root, 'etc', 'passwd'), 'utf8')).toBe(
    'root\n',
  );
});

test('what apps mount and unmount stays with them', async () => {
  await using host = suite.start();
  const admin = { capabilities: [0, 1, 21] };
  const one = 'mount -t tmpfs none /tmp && touch /tmp/x && echo up; sleep 0.5';
  await host.boot(bootPlan([appPlan('one', suite.root('one'), shell(one, admin))]));
  await host.streams.text(11, 'up');
  expect(readdirSync(join(suite.root('one'), 'tmp'))).toEqual([]);
  await host.finish();
});
