import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { artefacts } from '../../tools/paths.ts';
import { tinyImages } from '../support/images.ts';
import { podTree } from '../support/pod-tree.ts';
import { eventually } from '../support/polling.ts';
import { savedUuid, useRkt } from '../support/rkt.ts';
import { endPod, startPod, startSandbox } from '../support/running-pod.ts';
import { tool } from '../support/tool.ts';

// Users of a pod's own: what its root is on the host, where files come to be whose, which ids pods have. What holds all pods is tested over
// the table of variants.

const rkt = useRkt();
const stage1 = `--stage1-path=${artefacts.stage1Ns}`;
const OWN = '--private-users';
const FIRST = 1879113728;
const COUNT = 65536;
const ENDLESS = 'while :; do sleep 0.1; done';
let image = '';
beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
});

const shell = (script: string) => [image, '--name=app', '--exec=/bin/sh', '--', '-c', script];
const podPath = (uuid: string, phase = 'run') => join(rkt.dir, 'pods', phase, uuid);
const runningPod = (...flags: readonly string[]) => startPod(rkt, [stage1, OWN, ...flags, ...shell(ENDLESS)]);
const rangeOf = async (uuid: string) =>
  JSON.parse(await rkt.output(['status', '--format=json', uuid])).private_users.first;

/** The ids on the host of a process whose command line ends so. */
function idsOnHost(end: string): string[] {
  const found = rkt.scope.processes().filter(({ argv }) => argv.join(' ').endsWith(end));
  return found.flatMap(
    ({ pid }) => readFileSync(`/proc/${pid}/status`, 'utf8').match(/^[UG]id:\t\d+/gm) ?? [],
  );
}

describe('a pod with users of its own', () => {
  test('its root, and each user, is another on the host, and no root anywhere', async () => {
    const script = 'cat /proc/self/uid_map /proc/self/gid_map; id -u; exec sleep 4711';
    const pod = await startPod(rkt, [stage1, OWN, ...shell(script), '---', ...user(1000)]);
    await eventually('both run', () => idsOnHost('sleep 4711').length === 4);
    // The supervisor may have what they have said a moment later.
    const said = async () => (await rkt.output(['logs', '--app=app', pod.uuid])).replace(/ +/g, ' ');
    const map = ` 0 ${FIRST} ${COUNT}\n`;
    await eventually('the first has told of itself', async () => (await said()) === `${map}${map}0\n`);
    expect(idsOnHost('sleep 4711').sort()).toEqual([
      ...[`Gid:\t${FIRST + 1000}`, `Gid:\t${FIRST}`].sort(),
      ...[`Uid:\t${FIRST + 1000}`, `Uid:\t${FIRST}`].sort(),
    ]);
    await endPod(pod);
    await rkt.output(['rm', pod.uuid]);
  });

  const user = (id: number) => [
    image,
    '--name=user',
    `--user=${id}`,
    `--group=${id}`,
    '--exec=/bin/sleep',
    '--',
    '4711',
  ];

  test('all powers that a kernel knows are powers over the pod', async () => {
    const inside = [
      'mount -t tmpfs none /mnt',
      'hostname own',
      'ip link add dummy0 type veth',
      'mount -t proc proc /mnt',
    ];
    const host = [
      'mknod /tmp/disk b 8 0',
      'echo x > /proc/sys/kernel/core_pattern',
      'echo 1 > /proc/sys/kernel/sysrq',
      'echo b > /proc/sysrq-trigger',
      'date -s 2000-01-01; date | grep 2000',
      'dmesg -c',
      'mount -t ext4 /dev/vda /mnt',
      'insmod /x.ko',
      'cat /proc/kcore',
      'swapoff -a',
    ];
    const tried = [...inside, ...host].map((words) => `(${words}) > /dev/null 2>&1 && echo "${words}"`);
    const app = [image, '--exec=/bin/sh', '--', '-c', `mkdir /mnt; ${tried.join('; ')}; :`];
    const { stdout, code } = await rkt.run(['run', '--net=none', stage1, OWN, ...app], {
      insecure: 'image,capabilities,seccomp,paths',
    });
    expect({ stdout, code }).toEqual({ stdout: inside.map((words) => `${words}\n`).join(''), code: 0 });
  });

  test.each([[], ['--no-overlay']])(
    'files keep on disk the ids of their image, and get those of the pod: %j',
    async (...flags) => {
      const saved = rkt.path(`files-${flags.length}`);
      const script = [
        'stat -c "%n %u:%g" /bin/sh /etc/passwd /home/alice',
        'echo x > /made; mkdir /home/alice/made; chown 1000:2000 /home/alice /home/alice/made; rm /etc/group',
        'su alice -s /bin/sh -c "id -u; touch /tmp/of-alice"',
        'stat -c "%n %u:%g" /made /home/alice/made /tmp/of-alice',
      ].join('; ');
      const pod = ['run', '--net=none', stage1, OWN, ...flags, `--uuid-file-save=${saved}`, ...shell(script)];
      expect(await rkt.output(pod)).toBe(
        [
          ...['/bin/sh 0:0', '/etc/passwd 0:0', '/home/alice 0:0', '1000'],
          ...['/made 0:0', '/home/alice/made 1000:2000', '/tmp/of-alice 1000:1000', ''],
        ].join('\n'),
      );
      const uuid = savedUuid(saved) ?? '';
      const tree = podTree(podPath(uuid), 'app');
      expect(tree.some((line) => line.startsWith('etc/group'))).toBe(false);
      const file = rkt.path(`files-${flags.length}.aci`);
      await rkt.output(['export', uuid, file]);
      const owners = await tool('tar', ['--numeric-owner', '-tvf', file]);
      for (const [name, owner] of [
        ['made', '0/0'],
        ['bin/busybox', '0/0'],
        ['home/alice/made/', '1000/2000'],
        ['tmp/of-alice', '1000/1000'],
      ])
        expect(owners).toMatch(new RegExp(`^\\S+ ${owner} .* rootfs/${name}$`, 'm'));
      expect(owners).not.toMatch(/ rootfs\/etc\/group$/m);
    },
  );

  test('its range is recorded before it runs, and told', async () => {
    const uuid = (await rkt.output(['prepare', stage1, OWN, ...shell(ENDLESS)])).trim();
    const file = join(podPath(uuid, 'prepared'), 'private-users-prepared');
    const range = readFileSync(file, 'utf8').trim();
    const [first, count] = range.split(':').map(Number);
    expect(count).toBe(COUNT);
    const command = rkt.start(['run-prepared', '--net=none', uuid]);
    await rkt.output(['status', '--wait-ready', uuid]);
    expect(await rkt.output(['status', uuid])).toMatch(new RegExp(`^private-users=${range}$`, 'm'));
    expect(JSON.parse(await rkt.output(['inspect', uuid]))).toMatchObject([
      { private_users: { first, count } },
    ]);
    const look = ['enter', uuid, '/bin/sh', '-c', 'cut -c 12-21 /proc/self/uid_map'];
    expect(await rkt.output(look)).toBe(`${first}\n`);
    command.signal('SIGTERM');
    await command.finished;
    await rkt.output(['rm', uuid]);
  });

  test('no other pod has its range until it is removed', async () => {
    const pods = [await runningPod(), await runningPod()];
    const [one = 0, two = 0] = await Promise.all(pods.map(({ uuid }) => rangeOf(uuid)));
    expect(Math.abs(one - two)).toBeGreaterThanOrEqual(COUNT);
    await Promise.all(pods.map(endPod));
    const next = await runningPod();
    expect([one, two]).not.toContain(await rangeOf(next.uuid));
    await rkt.output(['rm', ...pods.map(({ uuid }) => uuid)]);
    const after = await runningPod();
    expect(await rangeOf(after.uuid)).toBe(Math.min(one, two));
    await Promise.all([next, after].map(endPod));
    await rkt.output(['rm', next.uuid, after.uuid]);
  });

  test('it uses the devices that are volumes of it', async () => {
    const volume = [
      '--volume=given,kind=host,source=/dev/full',
      image,
      '--mount=volume=given,target=/dev/given',
    ];
    const app = ['--exec=/bin/sh', '--', '-c', 'stat -c %F /dev/given; echo x > /dev/given'];
    const { code, stdout, stderr } = await rkt.run(['run', '--net=none', stage1, OWN, ...volume, ...app]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: 'character special file\n' });
    expect(stderr).toContain('No space left on device');
  });

  test('what is copied into it, and out of it, is its root’s', async () => {
    const pod = await runningPod();
    writeFileSync(rkt.path('given'), 'given', { mode: 0o640 });
    await rkt.output(['cp', rkt.path('given'), `${pod.uuid}:/root/given`]);
    const look = 'stat -c "%u:%g %a" /root/given; echo back > /root/back';
    expect(await rkt.output(['enter', pod.uuid, '/bin/sh', '-c', look])).toBe('0:0 640\n');
    await rkt.output(['cp', `${pod.uuid}:/root/back`, rkt.path('back')]);
    expect(statSync(rkt.path('back'))).toMatchObject({ uid: 0, gid: 0 });
    await endPod(pod);
    await rkt.output(['rm', pod.uuid]);
  });

  test('apps come to it and go', async () => {
    await rkt.output(['fetch', image]);
    const pod = await startSandbox(rkt, [stage1, OWN]);
    const first = await rangeOf(pod.uuid);
    await rkt.output(['app', 'add', pod.uuid, ...shell(`id -u; ${ENDLESS}`)]);
    await rkt.output(['app', 'start', pod.uuid, '--app=app']);
    await eventually('it runs', async () => (await rkt.output(['logs', '--app=app', pod.uuid])) === '0\n');
    const look = 'stat -c "%u:%g" /etc/passwd; echo x > /made; cut -c 12-21 /proc/self/uid_map';
    expect(await rkt.output(['enter', '--app=app', pod.uuid, '/bin/sh', '-c', look])).toBe(`0:0\n${first}\n`);
    await rkt.output(['app', 'stop', pod.uuid, '--app=app']);
    await rkt.output(['app', 'rm', pod.uuid, '--app=app']);
    const device = '--mnt-volume=name=full,kind=host,source=/dev/full,target=/dev/given';
    const { code, stderr } = await rkt.run(['app', 'add', pod.uuid, image, '--name=late', device]);
    expect({ code, stderr }).toEqual({
      code: 254,
      stderr: expect.stringContaining('a device cannot come to a pod with users of its own that runs'),
    });
    await endPod(pod);
    await rkt.output(['rm', pod.uuid]);
  });
});

describe('--private-users is refused', () => {
  test.each([
    [['--net=host'], '--private-users does not go with --net=host'],
    [['--net=none', '--ipc=parent'], '--private-users does not go with --ipc=parent'],
    [
      ['--net=none', '--stage1-from-dir=stage1-fly.aci'],
      "pods of coreos.com/rkt/stage1-fly have the host's users",
    ],
  ])('with %j', async (flags, words) => {
    const flavour = flags.some((flag) => flag.startsWith('--stage1')) ? [] : [stage1];
    const { code, stderr } = await rkt.run(['run', ...flavour, OWN, ...flags, ...shell('echo ran')]);
    expect({ code, stderr }).toEqual({ code: 254, stderr: expect.stringContaining(words) });
  });

  test('in a sandbox whose apps are copies', async () => {
    const { code, stderr } = await rkt.run(['app', 'sandbox', stage1, OWN, '--no-overlay']);
    expect({ code, stderr }).toEqual({
      code: 254,
      stderr: 'sandbox: --private-users does not go with --no-overlay in a sandbox\n',
    });
  });

  test('for a user that no pod has', async () => {
    const app = [image, '--user=70000', '--group=0', '--exec=/bin/true'];
    const { code, stderr } = await rkt.run(['run', '--net=none', stage1, OWN, ...app]);
    expect({ code, stderr }).toEqual({
      code: 254,
      stderr: expect.stringContaining("--private-users: a pod's ids are 0 to 65535, not 70000"),
    });
  });

  test('where files are in a file system that cannot show other ids, by its name; nothing is made', async () => {
    const directory = rkt.path('ramfs');
    mkdirSync(directory);
    const script = `mount -t ramfs none ${directory} && exec "$@"`;
    const argv = rkt.argv(['run', '--net=none', stage1, OWN, ...shell('echo ran')]);
    const there = argv.map((word) => (word === `--dir=${rkt.dir}` ? `--dir=${directory}` : word));
    const { code, stdout, stderr } = await rkt.startArgv([
      'unshare',
      '--mount',
      'sh',
      '-c',
      script,
      'sh',
      ...there,
    ]).finished;
    expect({ code, stdout }).toEqual({ code: 254, stdout: '' });
    expect(stderr).toMatch(
      /^run: --private-users: .* is on a file system that cannot show other ids: ramfs$/m,
    );
  });

  test('when all ranges of the configuration are taken', async () => {
    mkdirSync(join(rkt.localConfig, 'private-users.d'));
    const ids = { first: 1_000_000_000, count: COUNT };
    const setting = { rktKind: 'privateUsers', rktVersion: 'v1', ids };
    writeFileSync(join(rkt.localConfig, 'private-users.d/ids.json'), JSON.stringify(setting));
    const pod = await runningPod();
    expect(await rangeOf(pod.uuid)).toBe(ids.first);
    const { code, stderr } = await rkt.run(['run', '--net=none', stage1, OWN, ...shell('echo ran')]);
    expect({ code, stderr }).toEqual({
      code: 254,
      stderr: expect.stringContaining('of the 65536 ids from 1000000000 on pods have taken all ranges'),
    });
    execFileSync('rm', ['-r', join(rkt.localConfig, 'private-users.d')]);
    await endPod(pod);
    await rkt.output(['rm', pod.uuid]);
  });
});

describe('where a host gives less', () => {
  /** In a mount namespace of its own, after `prepare`. */
  const there = (prepare: string, app: readonly string[]) => {
    const argv = rkt.argv(['run', '--net=none', stage1, OWN, ...app]);
    return rkt.startArgv(['unshare', '--mount', 'sh', '-c', `${prepare} "$@"`, 'sh', ...argv]).finished;
  };

  test('it runs without control groups and the right to make devices', async () => {
    const less = 'umount -R /sys/fs/cgroup && exec setpriv --bounding-set=-mknod --inh-caps=-mknod';
    const app = shell('id -u; head -c 3 /dev/zero > /dev/null && echo fine');
    expect(await there(less, app)).toMatchObject({
      code: 0,
      stdout: '0\nfine\n',
      stderr: expect.stringContaining('the pod runs without a cgroup of its own'),
    });
  });

  test('it is told why it cannot run where a part of the kernel’s files is hidden', async () => {
    const { code, stderr } = await there('mount -t tmpfs none /proc/bus && exec', shell('echo ran'));
    expect(code).toBe(254);
    expect(stderr).toContain("run: a part of the host's proc is hidden (as in many containers)");
  });
});

test('a virtual machine has it in any case, and says so', async () => {
  const saved = rkt.path('machine');
  const pod = ['run', '--net=none', OWN, `--uuid-file-save=${saved}`, ...shell('id -u')];
  const { code, stdout, stderr } = await rkt.run(pod);
  expect({ code, stdout }).toEqual({ code: 0, stdout: '0\n' });
  expect(stderr).toContain(
    'run: --private-users: root of a virtual machine is no user of the host in any case\n',
  );
  expect(await rkt.output(['status', savedUuid(saved) ?? ''])).toMatch(/^private-users=inherent$/m);
});
