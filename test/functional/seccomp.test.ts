import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Way, writeCallProgram } from '../support/call-program.ts';
import { writeFileImage } from '../support/file-image.ts';
import { FLAVOURS } from '../support/flavours.ts';
import { tinyImages } from '../support/images.ts';
import { eventually } from '../support/polling.ts';
import { useRkt } from '../support/rkt.ts';
import { startPod, startSandbox, useRunningPods } from '../support/running-pod.ts';

const rkt = useRkt();
const pods = useRunningPods();

const KILLED = 159;
const WAYS: readonly Way[] = ['native', 'x32', 'i386'];
/** Which filter it has, and what comes of a call that any user may make: a user namespace of its own. */
const LOOK = [
  "grep -E '^(NoNewPrivs|Seccomp):' /proc/self/status | tr -d '\\n\\t'; echo",
  'unshare -U true 2>&1 && echo unshared; mkdir /tmp/new 2>&1 && echo made',
].join('; ');
/** An image that has a filter of its own. */
let own = '';
let tiny = '';

beforeAll(async () => {
  tiny = (await tinyImages()).aci.plain;
  const files = rkt.path('files');
  mkdirSync(files);
  for (const way of WAYS) writeCallProgram(join(files, way), way, `/tmp/${way}`);
  const isolators = [
    { name: 'os/linux/seccomp-remove-set', value: { set: ['mkdir', 'mkdirat'], errno: 'EMULTIHOP' } },
  ];
  own = await writeFileImage(rkt.path('own.aci'), {
    name: 'example.com/own',
    exec: ['/bin/sh'],
    files,
    isolators,
  });
});

describe.each(FLAVOURS)('$name', ({ image: stage1, severalApps, mutablePods }) => {
  /** What the lines of an app's script come to; the pod has to end in order. */
  async function output(flags: readonly string[], script: string, insecure = 'image'): Promise<string> {
    const app = [...flags, '--exec=/bin/sh', '--', '-c', script];
    return await rkt.output(['run', '--net=none', `--stage1-path=${stage1}`, ...app], { insecure });
  }

  test('an app has rkt’s list, by which calls are refused that it can do without', async () => {
    const seen = await output([tiny], LOOK);
    expect(seen).toMatch(/^NoNewPrivs:0Seccomp:2\n/);
    expect(seen).toMatch(/unshare.*Operation not permitted/);
    expect(seen).toMatch(/^made$/m);
  });

  test('a filter keeps other users than root from new privileges', async () => {
    expect(await output([tiny, '--user=1000'], LOOK)).toMatch(/^NoNewPrivs:1Seccomp:2\n/);
  });

  test('--insecure-options=seccomp leaves it out, whoever has asked for it', async () => {
    const seen = await output([own, '--user=1000', '--seccomp=mode=remove,mkdir'], LOOK, 'image,seccomp');
    expect(seen).toBe('NoNewPrivs:0Seccomp:0\nunshared\nmade\n');
  });

  test('a set with an error, whatever the way is into the kernel', async () => {
    const tries = WAYS.map((way) => `/files/${way}; echo ${way} $?`).join('; ');
    const EMULTIHOP = 72;
    const seen = await output([own], `${tries}; mkdir /tmp/new 2>&1; ls /tmp`);
    expect(seen.split('\n').slice(0, 3)).toEqual(WAYS.map((way) => `${way} ${EMULTIHOP}`));
    expect(seen).toContain("can't create directory '/tmp/new': Multihop attempted");
    expect(seen.split('\n').slice(4)).toEqual(['']);
    // Two of them lead somewhere.
    const free = await output([own, '--seccomp=mode=retain,@appc.io/all'], `${tries}; ls /tmp`);
    expect(free).toBe('native 0\nx32 38\ni386 0\ni386\nnative\n');
  });

  test('a set without an error kills', async () => {
    const args = [
      'run',
      '--net=none',
      `--stage1-path=${stage1}`,
      tiny,
      '--seccomp=mode=remove,mkdir,mkdirat',
    ];
    const { code, stdout } = await rkt.run([...args, '--exec=/bin/mkdir', '--', '/tmp/new']);
    expect({ code, stdout }).toEqual({ code: KILLED, stdout: '' });
  });

  test.each([
    ['@rkt/default-whitelist', /unshare.*Bad system call|^Bad system call/m],
    ['@docker/default-whitelist,unshare', /^unshared$/m],
  ])('mode=retain,%s', async (set, expected) => {
    // A shell tells of programs that are killed on its standard error.
    const seen = await output([tiny, `--seccomp=mode=retain,${set}`], `exec 2>&1; ${LOOK}`);
    expect(seen).toMatch(expected);
    expect(seen).toMatch(/^made$/m);
  });

  test('--seccomp takes the place of the image’s', async () => {
    const seen = await output([own, '--seccomp=mode=remove,errno=EXFULL,unshare'], LOOK);
    expect(seen).toMatch(/unshare.*Exchange full/);
    expect(seen).toMatch(/^made$/m);
  });

  test('a profile, by the arguments of calls and the capabilities that the app keeps', async () => {
    const SIGUSR1 = 10;
    const profile = {
      defaultAction: 'SCMP_ACT_ALLOW',
      archMap: [{ architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32'] }],
      syscalls: [
        {
          names: ['kill'],
          action: 'SCMP_ACT_ERRNO',
          errnoRet: 54,
          args: [{ index: 1, value: SIGUSR1, op: 'SCMP_CMP_EQ' }],
        },
        { names: ['mkdir'], action: 'SCMP_ACT_ERRNO', excludes: { caps: ['CAP_SYS_ADMIN'] } },
        { names: ['rmdir'], action: 'SCMP_ACT_ERRNO', includes: { caps: ['CAP_CHOWN'], arches: ['amd64'] } },
      ],
    };
    writeFileSync(rkt.path('profile.json'), JSON.stringify(profile));
    const script =
      'exec 2>&1; kill -USR1 $$; kill -0 $$ && echo alive; mkdir /tmp/x; rmdir /etc/x; unshare -U echo free';
    const uuid = (
      await rkt.output([
        'prepare',
        '--quiet',
        `--stage1-path=${stage1}`,
        tiny,
        `--seccomp=profile=${rkt.path('profile.json')}`,
        '--exec=/bin/sh',
        '--',
        '-c',
        script,
      ])
    ).trim();
    const seen = await rkt.output(['run-prepared', '--net=none', uuid]);
    expect(seen).toMatch(
      /Exchange full\nalive\n.*mkdir.*Operation not permitted\n.*rmdir.*Operation not permitted\nfree\n/s,
    );
  });

  test.each([
    ['mode=retain,read,opne', 'app tiny: os/linux/seccomp-retain-set: unknown system call "opne"'],
    ['mode=remove,@systemd/none', 'app tiny: os/linux/seccomp-remove-set: unknown group "@systemd/none"'],
    [
      'mode=remove,errno=ENOTHING,read',
      'app tiny: os/linux/seccomp-remove-set: no error number is called ENOTHING',
    ],
  ])('%s is refused before anything has been started', async (filter, message) => {
    const { code, stdout, stderr } = await rkt.run([
      'run',
      '--net=none',
      `--stage1-path=${stage1}`,
      tiny,
      `--seccomp=${filter}`,
      '--exec=/bin/true',
    ]);
    expect({ code, stdout }).toEqual({ code: 254, stdout: '' });
    expect(stderr).toContain(`run: ${message}`);
    expect(stderr).not.toMatch(/ at .*:\d+/);
  });

  test.runIf(severalApps)(
    'each app has its own, which holds for programs that are started in it',
    async () => {
      const apps = [
        [tiny, '--name=closed', '--seccomp=mode=remove,errno=EXFULL,mkdir,mkdirat'],
        [tiny, '--name=open', '--seccomp=mode=retain,@appc.io/all'],
      ].flatMap((app) => [...app, '--exec=/bin/sh', '--', '-c', 'while :; do sleep 0.1; done', '---']);
      const pod = await startPod(rkt, [`--stage1-path=${stage1}`, ...apps]);
      pods.push(pod);
      const inside = (app: string, ...command: string[]) =>
        rkt.run(['enter', `--app=${app}`, pod.uuid, ...command]);
      expect((await inside('closed', '/bin/sh', '-c', LOOK)).stdout).toMatch(
        /^NoNewPrivs:0Seccomp:2\n.*Exchange full/s,
      );
      expect((await inside('open', '/bin/sh', '-c', LOOK)).stdout).toBe(
        'NoNewPrivs:0Seccomp:0\nunshared\nmade\n',
      );
      const [facts] = JSON.parse(await rkt.output(['inspect', pod.uuid]));
      expect(facts.apps.map(({ process }: { process: { seccomp: boolean } }) => process.seccomp)).toEqual([
        true,
        false,
      ]);
    },
  );

  test.runIf(mutablePods)('app add --seccomp, and what it cannot be made of', async () => {
    const pod = await startSandbox(rkt, [`--stage1-path=${stage1}`]);
    pods.push(pod);
    await rkt.output(['fetch', tiny]);
    const add = (name: string, filter: string, insecure = 'image') =>
      rkt.output(
        [
          ...['app', 'add', pod.uuid, 'example.com/tiny', `--name=${name}`, `--seccomp=${filter}`],
          ...['--exec=/bin/sh', '--', '-c', `${LOOK}; echo end`],
        ],
        { insecure },
      );
    await add('filtered', 'mode=remove,errno=EXFULL,mkdir,mkdirat');
    await rkt.output(['app', 'start', pod.uuid, '--app=filtered']);
    await eventually('it has looked', () => /Exchange full[\s\S]*end/.test(pod.command.stdout));
    await add('free', 'mode=remove,errno=EXFULL,mkdir,mkdirat', 'image,seccomp');
    await rkt.output(['app', 'start', pod.uuid, '--app=free']);
    await eventually('it has none', () => /Seccomp:0[\s\S]*made[\s\S]*end/.test(pod.command.stdout));
    await add('wrong', 'mode=remove,opne');
    expect(await rkt.run(['app', 'start', pod.uuid, '--app=wrong'])).toMatchObject({
      code: 254,
      stderr: 'start: app wrong: os/linux/seccomp-remove-set: unknown system call "opne"\n',
    });
  });
});
