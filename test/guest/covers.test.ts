import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { AppPlan, CoverPlan } from '../../src/abi/boot-plan.ts';
import { eventually } from '../support/polling.ts';
import { guestSuite } from './guest-suite.ts';
import { appPlan, bootPlan, pipes, shell } from './pod-fixture.ts';
import type { ScriptedHost } from './scripted-host.ts';

const suite = guestSuite();

const RESOLV_CONF: CoverPlan = {
  path: '/etc/resolv.conf',
  mode: 0o644,
  content: 'nameserver 192.0.2.1\n',
  readOnly: false,
  names: false,
};
const HOSTS: CoverPlan = { path: '/etc/hosts', mode: 0o644, content: null, readOnly: false, names: true };
const BEGIN = '# Pods on the same networks, as they come and go:\n';

function app(name: string, number: number, script: string, changes: Partial<AppPlan> = {}): AppPlan {
  return appPlan(name, suite.root(name), shell(script), { streams: pipes(number), ...changes });
}

async function said(
  name: string,
  script: string,
  covers: readonly CoverPlan[],
  changes: Partial<AppPlan> = {},
): Promise<string> {
  await using host = suite.start();
  await host.boot(bootPlan([app(name, 1, `exec 2>&1; ${script}`, { covers, ...changes })]));
  const output = (await host.streams.whole(11)).toString();
  await host.finish();
  return output;
}

/** When PID 1 has taken it in: it takes what it is told in order. */
async function tell(host: ScriptedHost, names: string): Promise<void> {
  const request = host.messages.filter(({ type }) => type === 'stats').length + 1;
  host.send({ type: 'names', names });
  host.send({ type: 'stats', request });
  await eventually('PID 1 has heard it', () =>
    host.messages.some((message) => message.type === 'stats' && message.request === request),
  );
}

test('a cover lies over what the image has, which stays as it is', async () => {
  const root = suite.root('over');
  writeFileSync(join(root, 'etc', 'resolv.conf'), 'of the image\n');
  const script = 'cat /etc/resolv.conf; echo more >> /etc/resolv.conf; tail -1 /etc/resolv.conf';
  expect(await said('over', script, [RESOLV_CONF])).toBe('nameserver 192.0.2.1\nmore\n');
  expect(readFileSync(join(root, 'etc', 'resolv.conf'), 'utf8')).toBe('of the image\n');
});

test('a read-only cover is written by nobody, nor one of a read-only root', async () => {
  const script = 'cat /etc/resolv.conf; echo more >> /etc/resolv.conf';
  const refused = /^nameserver 192\.0\.2\.1\n.*can't create .*Read-only file system/;
  expect(await said('readonly', script, [{ ...RESOLV_CONF, readOnly: true }])).toMatch(refused);
  expect(await said('readonly-root', script, [RESOLV_CONF], { readOnlyRoot: true })).toMatch(refused);
});

test('links of an image lead a cover nowhere but into it', async () => {
  const root = suite.root('links');
  const outside = join(root, '..', 'resolver-outside');
  writeFileSync(outside, 'of the host\n');
  symlinkSync(outside, join(root, 'etc', 'resolv.conf'));
  mkdirSync(join(root, 'run'));
  writeFileSync(join(root, 'run', 'names'), 'of the image\n');
  symlinkSync('../run/names', join(root, 'etc', 'hosts'));
  const script = 'cat /etc/resolv.conf /etc/hosts /run/names';
  expect(await said('links', script, [RESOLV_CONF, HOSTS])).toBe(
    'nameserver 192.0.2.1\nof the image\nof the image\n',
  );
  expect(readFileSync(outside, 'utf8')).toBe('of the host\n');
});

test('what is no file in an image is no hosts file: a pipe is not waited for', async () => {
  const first = said('pipe', 'rm -f /etc/hosts; mkfifo /etc/hosts', []);
  expect(await first).toBe('');
  expect(await said('pipe', 'cat /etc/hosts; echo fine', [HOSTS])).toBe('fine\n');
});

test('names come below the hosts of the image, and change while the app runs', async () => {
  writeFileSync(join(suite.root('names'), 'etc', 'hosts'), '127.0.0.1 localhost\n');
  await using host = suite.start();
  const script = 'cat /etc/hosts; echo ---; while read step; do cat /etc/hosts; echo ---; done';
  const reader = { ...app('names', 1, script, { covers: [HOSTS] }), streams: pipes(1, true) };
  await host.boot(bootPlan([reader], { names: '10.0.0.2\tweb\n' }));
  await host.streams.text(11, '---\n');
  const seen = async (step: string, names: string) => {
    await tell(host, names);
    const before = host.streams.received(11).length;
    host.streams.write(10, `${step}\n`);
    await host.streams.until(() => host.streams.received(11).subarray(before).includes('---\n'));
    return host.streams.received(11).subarray(before).toString();
  };
  expect(host.streams.received(11).toString()).toBe(`127.0.0.1 localhost\n${BEGIN}10.0.0.2\tweb\n---\n`);
  const more = '10.0.0.2\tweb\n10.0.0.3\tdb\n';
  expect(await seen('more', more)).toBe(`127.0.0.1 localhost\n${BEGIN}${more}---\n`);
  expect(await seen('fewer', '10.0.0.3\tdb\n')).toBe(`127.0.0.1 localhost\n${BEGIN}10.0.0.3\tdb\n---\n`);
  expect(await seen('none', '')).toBe('127.0.0.1 localhost\n---\n');
  host.streams.end(10);
  await host.finish();
});

test('what an app has written above the names stays', async () => {
  await using host = suite.start();
  const script = `echo '127.0.0.1 localhost' > /etc/hosts; echo written; read step; cat /etc/hosts`;
  const writer = { ...app('writer', 1, script, { covers: [HOSTS] }), streams: pipes(1, true) };
  await host.boot(bootPlan([writer], { names: '10.0.0.2\tweb\n' }));
  await host.streams.text(11, 'written\n');
  await tell(host, '10.0.0.3\tdb\n');
  host.streams.write(10, 'look\n');
  await host.finish();
  expect((await host.streams.whole(11)).toString()).toBe(
    `written\n127.0.0.1 localhost\n${BEGIN}10.0.0.3\tdb\n`,
  );
});

test('a restart begins with the names of now, and an app that comes later, too', async () => {
  await using host = suite.start();
  const restart = { policy: 'on-failure', most: 1 } as const;
  const script = 'read step; cat /etc/hosts; exit 1';
  const again = { ...app('again', 1, script, { covers: [HOSTS], restart }), streams: pipes(1, true) };
  await host.boot(bootPlan([again], { names: '10.0.0.2\tweb\n', staysWhenEmpty: true }));
  host.streams.write(10, 'go\n');
  await host.streams.text(11, 'web\n');
  await tell(host, '10.0.0.3\tdb\n');
  host.streams.write(10, 'go\n');
  await host.exitOf('again');
  const output = (await host.streams.whole(11)).toString();
  expect(output).toBe(`${BEGIN}10.0.0.2\tweb\n${BEGIN}10.0.0.3\tdb\n`);
  host.send({ type: 'start', volumes: [], app: app('later', 2, 'cat /etc/hosts', { covers: [HOSTS] }) });
  expect((await host.streams.whole(21)).toString()).toBe(`${BEGIN}10.0.0.3\tdb\n`);
  host.send({ type: 'stop' });
  await host.finish();
});

test('the successor of an app that has left the pod finds nothing of it', async () => {
  await using host = suite.start();
  const first = app('gone', 1, 'echo junk >> /etc/hosts', { covers: [HOSTS] });
  await host.boot(bootPlan([first], { staysWhenEmpty: true }));
  await host.exitOf('gone');
  host.send({ type: 'forget', app: 'gone', root: { kind: 'directory', path: '/nowhere/rootfs' } });
  await host.next('forgotten');
  host.send({
    type: 'start',
    volumes: [],
    app: app('gone', 2, 'cat /etc/hosts; echo fine', { covers: [HOSTS] }),
  });
  expect((await host.streams.whole(21)).toString()).toBe('fine\n');
  host.send({ type: 'stop' });
  await host.finish();
});
