import { readlinkSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { artefacts } from '../../tools/paths.ts';
import { writeFileImage } from '../support/file-image.ts';
import { tinyImages } from '../support/images.ts';
import { useSite } from '../support/network-site.ts';
import { eventually } from '../support/polling.ts';
import { endPod, startPod } from '../support/running-pod.ts';

// What is true of pods in namespaces alone; what all flavours have in common is tested over their table.

const site = useSite();
const stage1 = `--stage1-path=${artefacts.stage1Ns}`;
let image = '';
beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
});

const run = (flags: readonly string[], script: string) =>
  site.now.rkt.run(['run', stage1, ...flags, image, '--exec=/bin/sh', '--', '-c', script]);
const KINDS = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'uts'];
const LOOK = `for kind in ${KINDS.join(' ')}; do echo $AC_APP_NAME $kind $(readlink /proc/self/ns/$kind); done`;

test('a pod has namespaces of its own, and its apps share them', async () => {
  const look = (name: string) => [image, `--name=${name}`, '--exec=/bin/sh', '--', '-c', LOOK];
  const args = ['run', stage1, '--net=none', ...look('one'), '---', ...look('two')];
  const lines = (await site.now.rkt.output(args)).split('\n');
  const seen = (app: string) =>
    KINDS.map(
      (kind) => lines.find((line) => line.startsWith(`${app} ${kind} ${kind}:`))?.split(' ')[2] ?? '',
    );
  const [one, two] = [seen('one'), seen('two')];
  const ofHost = KINDS.map((kind) => readlinkSync(`/proc/self/ns/${kind}`));
  expect([...one, ...two].filter((name) => name === '' || ofHost.includes(name))).toEqual([]);
  expect(KINDS.filter((_, index) => one[index] === two[index])).toEqual(['ipc', 'net', 'pid', 'uts']);
});

test('an app sees its control groups as the root of all', async () => {
  const { stdout } = await run(['--net=none', '--hostname=ours'], 'hostname; cut -d: -f3 /proc/self/cgroup');
  expect(stdout).toMatch(/^ours\n(\/\n)+$/);
});

test('a pod begins with the limits that programs expect, whoever started it', async () => {
  const { stdout } = await run(['--net=none'], 'ulimit -Sn; umask');
  expect(stdout).toBe('1024\n0022\n');
});

test('set-user-id programs of an image are what they are; devices are not', async () => {
  const { rkt } = site.now;
  const suid = 'cp /bin/busybox /tmp/id; chmod 4755 /tmp/id; mknod /tmp/zero c 1 5; chmod 666 /tmp/zero';
  const pod = await startPod(rkt, [stage1, image, '--exec=/bin/sh', '--', '-c', `${suid}; sleep 100000`]);
  const inside = (script: string) => rkt.run(['enter', pod.uuid, '/bin/sh', '-c', script]);
  await eventually('it is there', async () => (await inside('test -e /tmp/zero')).code === 0);
  expect(await inside('head -c 1 /tmp/zero')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('Permission denied'),
  });
  const { stdout } = await inside("grep ' / ' /proc/self/mountinfo");
  expect(stdout).toMatch(/ rw,nodev,relatime /);
  await endPod(pod);
});

test('it runs where control groups and the right to make devices are missing, and says what it cannot have', async () => {
  const { rkt } = site.now;
  const less = 'umount -R /sys/fs/cgroup && exec setpriv --bounding-set=-mknod --inh-caps=-mknod "$@"';
  const script =
    'cut -d: -f3 /proc/self/cgroup | sort -u; head -c 3 /dev/zero > /dev/null && echo fine; sleep 1000';
  const words = ['run', stage1, '--net=none', '--detach', image, '--exec=/bin/sh', '--', '-c', script];
  const started = await rkt.startArgv(['unshare', '--mount', 'sh', '-c', less, 'sh', ...rkt.argv(words)])
    .finished;
  expect(started.code).toBe(0);
  const uuid = started.stdout.trim();
  const warnings = await rkt.output(['status', uuid]);
  expect(warnings).toContain('the pod runs without a cgroup of its own');
  const said = () => rkt.output(['logs', '--stream=stdout', uuid]);
  await eventually('it has looked', async () => (await said()).includes('fine'));
  expect(await said()).toBe('/\nfine\n');
  expect(await rkt.run(['pause', uuid])).toMatchObject({
    code: 254,
    stderr: expect.stringContaining('the pod has no control group that can be frozen'),
  });
  await rkt.output(['stop', uuid]);
});

test('in a process list there is only the pod', async () => {
  const { stdout } = await run(['--net=none'], 'for d in /proc/[0-9]*; do cat $d/comm; done');
  expect(stdout).toBe('init\nsh\n');
});

describe('--net=host', () => {
  test('a pod is in the network of the host, whose name servers it asks, and leaves it as it was', async () => {
    const { host } = site.now;
    const before = await host.run('ip', '-o', 'addr');
    const look = 'readlink /proc/self/ns/net; cat /etc/resolv.conf';
    const { code, stdout } = await run(['--net=host'], look);
    expect(code).toBe(0);
    expect(stdout.split('\n')[0]).toBe((await host.run('readlink', '/proc/self/ns/net')).trim());
    const servers = (await host.run('cat', '/etc/resolv.conf')).match(/^nameserver .*$/gm) ?? [];
    for (const server of servers) expect(stdout).toContain(server);
    expect(await host.run('ip', '-o', 'addr')).toBe(before);
  });
});

test('a pod whose app wants a socket of systemd’s is refused when it comes with the start', async () => {
  const { rkt } = site.now;
  const wants = await writeFileImage(rkt.path('wants.aci'), {
    name: 'example.com/wants',
    exec: ['/files/none'],
    files: rkt.path('tmp'),
    ports: [{ name: 'www', protocol: 'tcp', port: 80, socketActivated: true }],
  });
  const argv = rkt.argv(['run', stage1, '--net=none', wants]);
  const { code, stderr } = await rkt.startArgv(
    ['/bin/sh', '-c', 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"', 'sh', ...argv],
    {},
  ).finished;
  expect(code).toBe(254);
  expect(stderr).toContain(
    'its port www wants a socket of the service manager, which stage1-ns does not hand on',
  );
});
