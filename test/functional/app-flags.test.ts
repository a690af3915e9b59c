import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { FLAVOURS } from '../support/flavours.ts';
import { tinyImages } from '../support/images.ts';
import { LOOK, parseLook } from '../support/pod-look.ts';
import { eventually } from '../support/polling.ts';
import { useRkt } from '../support/rkt.ts';
import { type RunningPod, startSandbox, useRunningPods } from '../support/running-pod.ts';
import { tool } from '../support/tool.ts';

const IMAGE = 'example.com/tiny';
/** The share of the machine, for who has all of its capabilities. */
const SHARE = '/proc/1/root/pod';
const LOOP = 'while :; do sleep 0.1; done';
/** The tiny image with an isolator that nobody knows, in a directory of that name. */
const LIMITED = `mkdir -p "$1" && tar -C "$1" -xf "$0" && cd "$1" && sed -i -e 's|example.com/tiny|example.com/limited|' \
  -e 's|"app":{|"app":{"isolators":[{"name":"example.com/strange","value":{"limit":"64Mi"}}],|' manifest && tar -cf "$1.aci" manifest rootfs`;
/** The tiny image without a command, likewise. */
const IDLE = `mkdir -p "$1" && tar -C "$1" -xf "$0" && cd "$1" && sed -i -e 's|example.com/tiny|example.com/idle|' \
  -e 's|"exec":\\[[^]]*\\]|"exec":[]|' manifest && tar -cf "$1.aci" manifest rootfs`;
const rkt = useRkt();
const pods = useRunningPods();
beforeAll(async () => {
  await rkt.output(['fetch', (await tinyImages()).aci.plain]);
});

const addArgs = ({ uuid }: RunningPod, name: string, flags: readonly string[], args: readonly string[]) => [
  ...['app', 'add', uuid, IMAGE, `--name=${name}`, '--exec=/bin/sh', ...flags, '--', ...args],
];
const start = ({ uuid }: RunningPod, name: string) => ['app', 'start', uuid, `--app=${name}`];
const inside = ({ uuid }: RunningPod, name: string, script: string) => [
  ...['app', 'exec', `--app=${name}`, uuid, '/bin/sh', '-c', script],
];

/** What an app with these flags sees. */
async function look(pod: RunningPod, name: string, flags: readonly string[], args: readonly string[] = []) {
  const before = pod.command.stdout.length;
  await rkt.output(addArgs(pod, name, flags, ['-c', `${LOOK}\necho end-of-look`, 'sh', ...args]));
  await rkt.output(start(pod, name));
  await eventually('it has looked', () => pod.command.stdout.slice(before).includes('end-of-look'));
  return parseLook(pod.command.stdout.slice(before));
}

/** Of the pod as a whole, on the host. */
function memoryLimits({ uuid }: RunningPod): string[] {
  const groups = readFileSync(join(rkt.dir, 'pods/run', uuid, 'cgroups'), 'utf8')
    .trim()
    .split('\n');
  const files = groups.flatMap((group) =>
    ['memory.limit_in_bytes', 'memory.max'].map((name) => join(group, name)),
  );
  return files.filter((file) => existsSync(file)).map((file) => readFileSync(file, 'utf8'));
}

describe.each(FLAVOURS.filter(({ mutablePods }) => mutablePods))('$name', ({ image, ownKernel }) => {
  test('every flag of app sandbox has its effect', async () => {
    const name = 'box';
    const pod = await startSandbox(rkt, [
      ...[`--stage1-path=${image}`, '--hostname=crate', `--pod-name=${name}`, '--no-overlay', '--rm'],
      ...['--memory=300Mi', '--cpu=2', '--log-size=128Ki'],
      ...['--annotation=example.com/a=b', '--user-annotation=who=me', '--user-label=tier=front'],
    ]);
    const manifest = JSON.parse(await rkt.output(['cat-manifest', name]));
    expect(manifest.annotations).toEqual([
      { name: 'example.com/a', value: 'b' },
      { name: 'coreos.com/rkt/stage1/mutable', value: 'true' },
      { name: 'coreos.com/rkt/log-size', value: '131072' },
    ]);
    expect(manifest).toMatchObject({ userAnnotations: { who: 'me' }, userLabels: { tier: 'front' } });
    const seen = await look(pod, 'web', []);
    expect(Object.fromEntries(seen)).toMatchObject({ hostname: 'crate', cpus: '2' });
    if (ownKernel) {
      // The kernel keeps some of it.
      expect(Number(seen.get('memory'))).toBeGreaterThan(300);
      expect(Number(seen.get('memory'))).toBeLessThan(300 + 128);
    } else expect(memoryLimits(pod)).toEqual([`${300 << 20}\n`]);
    const files = join(rkt.dir, 'pods/run', pod.uuid, 'stage1/rootfs/opt/stage2/web/rootfs/bin/busybox');
    expect(existsSync(files)).toBe(true);
    // What its own isolators say is enforced.
    expect(pod.command.stderr).not.toContain('isolator');
    await rkt.output(['stop', name]);
    await pod.command.finished;
    await eventually('it is removed', async () => !(await rkt.output(['list', '--full'])).includes(pod.uuid));
  });

  test.each([
    ['--stage1-name', 'coreos.com/rkt/stage1-kvm'],
    ['--stage1-from-dir', 'stage1-kvm.aci'],
  ])('app sandbox %s=%s and --detach', async (flag, value) => {
    const args = ['app', 'sandbox', '--net=none', `${flag}=${value}`, '--detach'];
    const uuid = (await rkt.output(args)).trim();
    expect(await rkt.output(['status', uuid])).toMatch(/^state=running$/m);
    expect(await rkt.output(['app', 'list', uuid])).toBe('NAME\tSTATE\n');
    await rkt.output(['stop', uuid]);
  });

  test('app sandbox --stage1-hash', async () => {
    const listed = await rkt.output(['image', 'list', '--full', '--no-legend', '--fields=id,name']);
    const id =
      listed
        .split('\n')
        .find((line) => line.includes('stage1-kvm'))
        ?.split('\t')[0] ?? '';
    const pod = await startSandbox(rkt, [`--stage1-hash=${id}`]);
    await rkt.output(['stop', pod.uuid]);
  });

  describe('in one pod', () => {
    let pod: RunningPod;
    beforeAll(async () => {
      pod = await startSandbox(rkt, [`--stage1-path=${image}`]);
      pods.push(pod);
    });

    test('every flag of app add is seen from inside, and in the manifest', async () => {
      const flags = [
        ...['--user=alice', '--group=crew', '--supplementary-gids=3000,3001', '--working-dir=/etc'],
        ...['--readonly-rootfs=true', '--environment=APP=app'],
        ...['--annotation=example.com/x=y', '--user-annotation=who=it', '--user-label=tier=back'],
      ];
      const seen = await look(pod, 'flags', flags, ['one', 'two words']);
      expect(Object.fromEntries(seen)).toMatchObject({
        ...{ pwd: '/etc', uid: '1000', gid: '2000', groups: '2000 3000 3001', writable: 'no' },
        ...{ args: 'one two words', 'env-APP': 'app', 'env-FROM': 'image', 'env-AC_APP_NAME': 'flags' },
      });
      const { apps } = JSON.parse(await rkt.output(['cat-manifest', pod.uuid]));
      expect(apps).toMatchObject([
        {
          name: 'flags',
          annotations: [{ name: 'example.com/x', value: 'y' }],
          app: { userAnnotations: { who: 'it' }, userLabels: { tier: 'back' } },
        },
      ]);
    });

    test('--restart and the health checks hold for apps that are added', async () => {
      const script = `echo x >> /starts; [ $(wc -l < /starts) -gt 1 ] || exit 1; ${LOOP}`;
      await rkt.output(addArgs(pod, 'restarts', ['--restart=on-failure:3'], ['-c', script]));
      await rkt.output(start(pod, 'restarts'));
      await eventually('it runs again', async () =>
        (await rkt.run(inside(pod, 'restarts', 'cat /starts'))).stdout.startsWith('x\nx\n'),
      );
      await rkt.output(['app', 'stop', pod.uuid, '--app=restarts']);
      const state = await rkt.output(['app', 'status', pod.uuid, '--app=restarts']);
      expect(state).toMatch(/^state=exited$/m);
      const checks = ['--health-cmd=test -e /well', '--health-interval=1s', '--health-timeout=60s'];
      const periods = ['--health-retries=1', '--health-start-period=0s'];
      await rkt.output(addArgs(pod, 'checked', [...checks, ...periods], ['-c', `touch /well; ${LOOP}`]));
      await rkt.output(start(pod, 'checked'));
      const is = (health: string) => async () =>
        (await rkt.output(['status', pod.uuid])).includes(`app-checked-health=${health}\n`);
      await eventually('it is healthy', is('healthy'));
      await rkt.output(inside(pod, 'checked', 'rm /well'));
      await eventually('it is unhealthy', is('unhealthy'));
      await rkt.output(['app', 'rm', pod.uuid, '--app=checked']);
    });

    test('what is not enforced for an app that comes later is said', async () => {
      const limited = await tool('sh', ['-c', LIMITED, (await tinyImages()).aci.plain, rkt.path('limited')]);
      expect(limited).toBe('');
      await rkt.output(['fetch', rkt.path('limited.aci')]);
      const args = ['--name=limited', '--exec=/bin/sh', '--', '-c', 'exit 0'];
      await rkt.output(['app', 'add', pod.uuid, 'example.com/limited', ...args]);
      await rkt.output(start(pod, 'limited'));
      const line = 'run: app limited: isolator example.com/strange is not enforced: it is not known here\n';
      await eventually('it is said', () => pod.command.stderr.includes(line));
    });

    test('an image without a command is no app', async () => {
      await tool('sh', ['-c', IDLE, (await tinyImages()).aci.plain, rkt.path('idle')]);
      await rkt.output(['fetch', rkt.path('idle.aci')]);
      expect(await rkt.run(['app', 'add', pod.uuid, 'example.com/idle'])).toMatchObject({
        code: 254,
        stderr: 'add: app idle: no command to run (exec is empty)\n',
      });
    });

    test('of a pod that is paused the apps stay as they are', async () => {
      await rkt.output(addArgs(pod, 'still', [], ['-c', LOOP]));
      await rkt.output(['pause', pod.uuid]);
      const refusal = `pod "${pod.uuid}" is paused\n`;
      for (const args of [
        addArgs(pod, 'more', [], ['-c', LOOP]),
        ...['start', 'stop', 'rm'].map((word) => ['app', word, pod.uuid, '--app=still']),
      ])
        expect(await rkt.run(args)).toMatchObject({ code: 254, stderr: `${args[1]}: ${refusal}` });
      await rkt.output(['resume', pod.uuid]);
      await rkt.output(start(pod, 'still'));
      await rkt.output(['app', 'rm', pod.uuid, '--app=still']);
    });

    test('the name of an app is by default its image’s', async () => {
      await rkt.output(['app', 'add', pod.uuid, IMAGE]);
      expect(await rkt.output(['app', 'list', pod.uuid])).toMatch(/^NAME\t+STATE\n[\s\S]*^tiny\t+created$/m);
      await rkt.output(['app', 'rm', pod.uuid, '--app=tiny']);
    });

    test('app status prints what rkt prints, as text and as JSON', async () => {
      await rkt.output(addArgs(pod, 'told', ['--user-label=b=2', '--user-label=a=1'], ['-c', 'exit 3']));
      const status = (...more: string[]) => rkt.output(['app', 'status', pod.uuid, '--app=told', ...more]);
      const id = /^image_id=(sha512-[0-9a-f]{64})$/m.exec(await status())?.[1];
      const time = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? \+0000 UTC`;
      expect(await status()).toMatch(
        new RegExp(`^name=told\nstate=created\nimage_id=${id}\ncreated_at=${time}\nuser_labels=a:1,b:2\n$`),
      );
      await rkt.output(start(pod, 'told'));
      await eventually('it has ended', async () => (await status()).includes('state=exited'));
      expect(await status()).toMatch(
        new RegExp(
          `\ncreated_at=${time}\nstarted_at=${time}\nfinished_at=${time}\nexit_code=3\nuser_labels=a:1,b:2\n$`,
        ),
      );
      const json = JSON.parse(await status('--format=json'));
      expect(json).toMatchObject({ name: 'told', state: 'exited', exit_code: 3, image_id: id });
      expect(json.started_at).toBeLessThanOrEqual(json.finished_at);
      expect(await status('--format=json-pretty')).toMatch(/^\{\n\t"name": "told",\n/);
    });

    test('app exec runs a program as confined as its app, which it finds by itself if there is one', async () => {
      const own = await startSandbox(rkt, [`--stage1-path=${image}`]);
      await rkt.output(addArgs(own, 'web', ['--user=alice'], ['-c', LOOP]));
      const early = await rkt.run(['app', 'exec', own.uuid, 'true']);
      expect(early).toMatchObject({ code: 254, stderr: 'exec: app web is not running\n' });
      await rkt.output(start(own, 'web'));
      const program = ['/bin/sh', '-c', 'id -un; grep CapEff /proc/self/status; exit 5'];
      expect(await rkt.run(['app', 'exec', own.uuid, ...program])).toMatchObject({
        ...{ code: 5, stdout: 'alice\nCapEff:\t0000000000000000\n' },
      });
      const { code, stderr } = await rkt.run(['app', 'exec', own.uuid, 'absent']);
      expect(code).toBe(203);
      expect(stderr).toMatch(/^exec: absent: not found in PATH/);
      await rkt.output(['stop', own.uuid]);
    });

    test('checks that one app goes without are those of that app alone', async () => {
      const look = 'ls /proc/1/root/pod > /dev/null 2>&1 && echo seen || echo refused; ';
      await rkt.output(addArgs(pod, 'tame', [], ['-c', `${look}${LOOP}`]));
      await rkt.output(addArgs(pod, 'wild', [], ['-c', `${look}${LOOP}`]), {
        insecure: 'image,capabilities,paths',
      });
      for (const name of ['tame', 'wild']) await rkt.output(start(pod, name));
      await eventually(
        'both have tried',
        () => /refused/.test(pod.command.stdout) && /seen/.test(pod.command.stdout),
      );
      expect(await rkt.output(inside(pod, 'wild', `ls ${SHARE}`))).toMatch(/^wild$/m);
      const readOnly = (name: string) =>
        rkt.output(inside(pod, name, "grep ' /proc/bus ' /proc/mounts; true"));
      expect(await readOnly('tame')).toMatch(/ ro[, ]/);
      expect(await readOnly('wild')).toBe('');
    });

    test('a guest that puts links in the way of an app leads nobody out of the share', async () => {
      const target = rkt.path('target');
      mkdirSync(target, { recursive: true });
      const plant = [
        `ln -s ${target} ${SHARE}/trap`,
        `mkdir ${SHARE}/nest`,
        `ln -s ${target} ${SHARE}/nest/rootfs`,
      ];
      await rkt.output(inside(pod, 'wild', plant.join(' && ')));
      for (const name of ['trap', 'nest']) {
        const { code, stderr } = await rkt.run(addArgs(pod, name, [], ['-c', LOOP]));
        expect(code).toBe(254);
        expect(stderr).toMatch(/^add: [^\n]*ENOTDIR[^\n]*\n$/);
        expect(existsSync(join(target, 'rootfs'))).toBe(false);
      }
      // With what is in the way taken out of it, it can be repeated.
      await rkt.output(inside(pod, 'wild', `rm ${SHARE}/trap ${SHARE}/nest/rootfs`));
      for (const name of ['trap', 'nest']) {
        await rkt.output(addArgs(pod, name, [], ['-c', LOOP]));
        await rkt.output(start(pod, name));
        await rkt.output(['app', 'rm', pod.uuid, `--app=${name}`]);
      }
      // A root that the guest has moved elsewhere is taken out all the same.
      await rkt.output(addArgs(pod, 'moved', [], ['-c', LOOP]));
      await rkt.output(inside(pod, 'wild', `mv ${SHARE}/moved ${SHARE}/elsewhere && ln -s / ${SHARE}/moved`));
      await rkt.output(['app', 'rm', pod.uuid, '--app=moved']);
      const mounts = readFileSync(`/proc/${pod.command.pid}/mountinfo`, 'utf8');
      expect(mounts).not.toMatch(/stage2\/(moved|elsewhere)/);
    });
  });
});

test.each([
  [['app', 'sandbox', 'example.com/tiny'], 254, 'sandbox: a sandbox begins without apps'],
  [['app', 'sandbox', '--interactive'], 254, 'sandbox: unknown flag: --interactive'],
  [['app', 'sandbox', '--memory=1'], 1, 'sandbox: --memory: 1 is lower than 4 KiB'],
  [['app', 'sandbox', '--stage1-path=/none'], 1, 'sandbox: '],
  [
    ['app', 'sandbox', '--annotation=coreos.com/rkt/stage1/mutable=false'],
    1,
    'sandbox: annotation coreos.com/',
  ],
  [
    ['run', '--net=none', '--annotation=coreos.com/rkt/stage1/mutable=true', IMAGE],
    254,
    'run: annotation coreos.com/',
  ],
  [['app', 'sandbox', '--net=a', '--net=host'], 1, 'sandbox: --net=a,host: host stands alone'],
  [['app', 'add'], 254, 'add: expected the UUID of a pod and one image'],
  [['app', 'add', 'ffff'], 254, 'add: expected the UUID of a pod and one image'],
  [['app', 'add', 'ffff', '--name=x', IMAGE], 254, 'add: --name must follow the image'],
  [['app', 'add', 'ffff', '--', 'x'], 254, 'add: expected the UUID of a pod and one image'],
  [
    ['app', 'add', 'ffff', '--', 'x', '---', IMAGE],
    254,
    'add: an image is required before any app arguments',
  ],
  [['app', 'add', 'ffff', IMAGE, IMAGE], 254, 'add: expected the UUID of a pod and one image'],
  [['app', 'add', 'ffff', IMAGE, '--signature=x'], 254, 'add: unknown flag: --signature'],
  [['app', 'add', 'ffff', IMAGE], 254, 'add: no matches found for "ffff"'],
  [['app', 'start', 'ffff'], 254, 'start: must specify the app by --app=NAME'],
  [['app', 'start', 'ffff', '--app=x'], 254, 'start: no matches found for "ffff"'],
  [['app', 'stop', '--app=x'], 254, 'stop: no UUID given'],
  [['app', 'rm', 'ffff', '--app=x'], 254, 'rm: no matches found for "ffff"'],
  [['app', 'list'], 254, 'list: no UUID given'],
  [['app', 'list', 'ffff'], 1, 'list: no matches found for "ffff"'],
  [['app', 'status', 'ffff'], 254, 'status: must specify the app by --app=NAME'],
  [['app', 'status', 'ffff', '--app=x'], 1, 'status: no matches found for "ffff"'],
  [['app', 'exec', 'ffff', 'true'], 254, 'exec: no matches found for "ffff"'],
  [['app'], 2, 'app: missing command'],
] as const)('%j', async (args, code, message) => {
  const result = await rkt.run(args);
  expect({ code: result.code, stdout: result.stdout }).toEqual({ code, stdout: '' });
  expect(result.stderr.split('\n').find((line) => line.startsWith(message.slice(0, 5)))).toContain(message);
});
