import { beforeAll, describe, expect, test } from 'vitest';
import { artefacts } from '../../tools/paths.ts';
import { FLAVOURS } from '../support/flavours.ts';
import { tinyImages } from '../support/images.ts';
import { eventually } from '../support/polling.ts';
import { useRkt } from '../support/rkt.ts';
import { startSandbox, useRunningPods } from '../support/running-pod.ts';

const rkt = useRkt();
const pods = useRunningPods();
let image = '';
beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
  await rkt.output(['fetch', image]);
});

const NAME = 'example.com/tiny';
/** Needs more memory than the tests below give it, and says so if it gets it. */
const HUNGRY = 'x=$(head -c 90000000 /dev/zero | tr "\\0" x); echo had';
const FORKS = 'for i in 1 2 3 4 5 6 7 8 9; do sleep 1000 >/dev/null 2>&1 & done; echo all';
const CAN_NOT_FORK = /can't fork: Resource temporarily unavailable/;
/** Of its group, as PID 1 has set it: for an app that may look into PID 1's root. */
const PART = 'cd /proc/1/root/sys/fs/cgroup; cat tiny/cpu.weight 2>/dev/null || cat cpu/tiny/cpu.shares';
const LOOK = [
  'cat /proc/self/oom_score_adj',
  'ulimit -n',
  'ulimit -Hn',
  'ulimit -c',
  "grep CapBnd /proc/self/status | tr -d '\\t'",
].join('; ');
const DEFAULT_CAPS = 0xa80425fbn;
const CHOWN = 0;
const KILL = 5;
const MKNOD = 27;
const without = (...numbers: readonly number[]) =>
  numbers.reduce((bits, number) => bits & ~(1n << BigInt(number)), DEFAULT_CAPS);
const bounding = (bits: bigint) => `CapBnd:${bits.toString(16).padStart(16, '0')}`;
/** A loop that counts until two seconds of the clock have gone, and what of them it had a processor for. */
const SPIN = `
  set -- $(cat /proc/uptime); end=$(( \${1%%.*} + 3 ))
  while set -- $(cat /proc/uptime); [ \${1%%.*} -lt $end ]; do :; done
  cat /sys/fs/cgroup/cpu.stat 2>/dev/null; cat /proc/1/root/sys/fs/cgroup/tiny/cpu.stat 2>/dev/null ||
  cat /proc/1/root/sys/fs/cgroup/cpu/tiny/cpu.stat`;
/** It may look into PID 1's root. */
const OPEN = { insecure: 'image,capabilities,paths,seccomp' };

describe.each(FLAVOURS)('$name', ({ name, image: stage1, ownKernel }) => {
  const argv = (flags: readonly string[], script: string, pod: readonly string[] = []) => [
    ...['run', '--net=none', `--stage1-path=${stage1}`, ...pod, image, ...flags],
    ...['--exec=/bin/sh', '--', '-c', script],
  ];

  test('flags of an app’s processes hold for them: files, cores, whom the kernel kills first, capabilities', async () => {
    const limits = ['--ulimit=nofile=100:200', '--ulimit=core=0', '--oom-score-adj=300'];
    const removed = await rkt.output(argv([...limits, '--caps-remove=CAP_CHOWN,CAP_KILL'], LOOK));
    expect(removed).toBe(`300\n100\n200\n0\n${bounding(without(CHOWN, KILL))}\n`);
    const retained = await rkt.output(argv(['--caps-retain=CAP_CHOWN', '--caps-retain=CAP_KILL'], LOOK));
    expect(retained).toContain(bounding((1n << BigInt(CHOWN)) | (1n << BigInt(KILL))));
  });

  test('flags of rkt’s first versions are taken', async () => {
    expect(await rkt.output(argv(['--cap-remove=CAP_KILL'], LOOK))).toContain(bounding(without(KILL)));
    expect(await rkt.output(argv(['--cap-retain=CAP_KILL'], LOOK))).toContain(bounding(1n << BigInt(KILL)));
  });

  test('an app has no more processes than --pids-limit, and less of the processors than --cpu', async () => {
    const { code, stdout, stderr } = await rkt.run(argv(['--pids-limit=6'], FORKS));
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(CAN_NOT_FORK);
    // Less than it gets on a host whose processors others want as well.
    const spun = await rkt.output(argv(['--cpu=50m'], SPIN), OPEN);
    expect(Number(/nr_throttled (\d+)/.exec(spun)?.[1])).toBeGreaterThan(0);
  });

  test('--cpu-shares is its part where others want processors, too', async () => {
    // v2 counts up to 10000.
    expect(await rkt.output(argv(['--cpu-shares=512'], PART), OPEN)).toMatch(/^(512|20)\n$/);
  });

  test('an app that needs more memory than it has is killed, and status says why', async () => {
    const file = rkt.path(`hungry-${name}`);
    const { code, stdout, stderr } = await rkt.run(
      argv(['--memory=48Mi'], HUNGRY, [`--uuid-file-save=${file}`]),
    );
    expect({ code, stdout }).toEqual({ code: 137, stdout: '' });
    expect(stderr).toContain('run: app tiny: out of memory: processes of it were killed\n');
    const ended = await rkt.output(['status', `--uuid-file=${file}`]);
    expect(ended).toMatch(/^app-tiny=137\napp-tiny-oom-killed=true\nwarning=app tiny: out of memory: /m);
  });

  test('out of memory is the affair of one app', async () => {
    const pod = await startSandbox(rkt, [`--stage1-path=${stage1}`, '--memory=256Mi']);
    pods.push(pod);
    const add = async (app: string, flags: readonly string[], script: string) => {
      await rkt.output([
        'app',
        'add',
        pod.uuid,
        NAME,
        `--name=${app}`,
        ...flags,
        '--exec=/bin/sh',
        '--',
        '-c',
        script,
      ]);
      await rkt.output(['app', 'start', pod.uuid, `--app=${app}`]);
    };
    await add('other', [], 'sleep 1000');
    await add('hungry', ['--memory=48Mi'], HUNGRY);
    const hungry = () => rkt.output(['app', 'status', pod.uuid, '--app=hungry', '--format=json']);
    await eventually('it is killed', async () => JSON.parse(await hungry()).state === 'exited');
    expect(JSON.parse(await hungry())).toMatchObject({ exit_code: 137, oom_killed: true });
    const other = JSON.parse(await rkt.output(['app', 'status', pod.uuid, '--app=other', '--format=json']));
    expect(other).toMatchObject({ state: 'running' });
    expect(other).not.toHaveProperty('oom_killed');
  });

  test('an app that comes later has its limits, and what is entered has those of its app', async () => {
    const pod = await startSandbox(rkt, [`--stage1-path=${stage1}`]);
    pods.push(pod);
    const flags = [
      ...['--cpu=1', '--cpu-shares=512', '--pids-limit=6', '--ulimit=nofile=100:200', '--ulimit=core=0'],
      ...['--oom-score-adj=300', '--memory=64Mi'],
    ];
    const add = async (name: string, more: readonly string[]) => {
      const app = [NAME, `--name=${name}`, ...flags, ...more, '--exec=/bin/sh', '--', '-c', 'sleep 1000'];
      await rkt.output(['app', 'add', pod.uuid, ...app]);
      await rkt.output(['app', 'start', pod.uuid, `--app=${name}`]);
      return await rkt.output(['enter', `--app=${name}`, pod.uuid, '/bin/sh', '-c', LOOK]);
    };
    const limits = '300\n100\n200\n0\n';
    // On the host's kernel no app makes devices in a pod that a directory of the host may come to.
    const bounded = bounding(ownKernel ? without(KILL) : without(KILL, MKNOD));
    expect(await add('removed', ['--caps-remove=CAP_KILL'])).toBe(`${limits}${bounded}\n`);
    expect(await add('removed-too', ['--cap-remove=CAP_KILL'])).toContain(bounded);
    expect(await add('retained', ['--caps-retain=CAP_KILL'])).toContain(bounding(1n << BigInt(KILL)));
    expect(await add('retained-too', ['--cap-retain=CAP_KILL'])).toContain(bounding(1n << BigInt(KILL)));
    const forked = await rkt.run(['enter', '--app=removed', pod.uuid, '/bin/sh', '-c', FORKS]);
    expect(forked.stderr).toMatch(CAN_NOT_FORK);
  });

  test('settings of the kernel are the pod’s, as far as the kernel is', async () => {
    const read = 'cat /proc/sys/net/core/somaxconn /proc/sys/kernel/msgmax';
    const sysctls = ['--sysctl=net.core.somaxconn=321', '--sysctl=kernel.msgmax=5000'];
    expect(await rkt.output(argv([], read, sysctls))).toBe('321\n5000\n');
    const foreign = argv([], 'cat /proc/sys/kernel/panic', ['--sysctl=kernel.panic=77']);
    const { code, stdout, stderr } = await rkt.run(foreign);
    expect([
      code,
      stdout === '77\n',
      /"kernel.panic" is not set: it is of the kernel of the host/.test(stderr),
    ]).toEqual([...[0, ownKernel, !ownKernel]]);
  });

  test('--strict-isolators: no pod rather than one with a setting that the kernel does not have', async () => {
    const strict = ['--strict-isolators', '--sysctl=net.core.absent=1'];
    const refused = await rkt.run(argv([], 'echo here', strict));
    expect(refused).toMatchObject({ code: 254, stdout: '' });
    expect(refused.stderr).toMatch(/net\/core\/absent could not be set to "1": ENOENT/);
    const warned = await rkt.run(argv([], 'echo here', strict.slice(1)));
    expect(warned).toMatchObject({ code: 0, stdout: 'here\n' });
    expect(warned.stderr).toMatch(/net\/core\/absent could not be set to "1": ENOENT/);
    expect(
      await rkt.run(argv(['--memory=64Mi', '--cpu=1'], 'echo here', ['--strict-isolators'])),
    ).toMatchObject({
      ...{ code: 0, stdout: 'here\n' },
    });
  });
});

describe('without CAP_SYS_RESOURCE, stage1-ns', () => {
  const { stage1Ns: stage1 } = artefacts;
  const less = ['setpriv', '--bounding-set=-sys_resource', '--inh-caps=-sys_resource'];
  const saved = rkt.path('less');
  const run = (...flags: readonly string[]) => {
    const pod = ['--net=none', `--stage1-path=${stage1}`, `--uuid-file-save=${saved}`, ...flags, image];
    const app = ['--ulimit=nofile=100:5000', '--exec=/bin/sh', '--', '-c', 'ulimit -n; ulimit -Hn'];
    const argv = rkt.argv(['run', ...pod, ...app]);
    return rkt.startArgv(['prlimit', '--nofile=4096:4096', ...less, ...argv]).finished;
  };
  const unset = 'guest: app tiny: the limit nofile could not be set: EPERM';

  test('gives an app as much of a limit as may be had, and says so', async () => {
    const { code, stdout, stderr } = await run();
    expect({ code, stdout }).toEqual({ code: 0, stdout: '100\n4096\n' });
    expect(stderr).toContain(`run: ${unset}`);
    expect(await rkt.output(['status', `--uuid-file=${saved}`])).toContain(`warning=${unset}`);
  });

  test('starts no such app with --strict-isolators', async () => {
    const { code, stdout, stderr } = await run('--strict-isolators');
    expect({ code, stdout }).toEqual({ code: 205, stdout: '' });
    expect(stderr).toContain('app tiny: the limit nofile could not be set: EPERM');
  });
});
