import { mkdirSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { artefacts } from '../../tools/paths.ts';
import { writeFileImage } from '../support/file-image.ts';
import { FLAVOURS } from '../support/flavours.ts';
import { tinyImages } from '../support/images.ts';
import { groupFiles } from '../support/pod-groups.ts';
import { eventually } from '../support/polling.ts';
import { useRkt } from '../support/rkt.ts';
import { startPod, startSandbox, useRunningPods } from '../support/running-pod.ts';

// What bounds a pod as a whole, and what is said of isolators without effect.

const rkt = useRkt();
const pods = useRunningPods();
const NAME = 'example.com/unknown';
const UNKNOWN = 'app unknown: isolator example.com/gravity is not enforced: it is not known here';
const LATER =
  'app unknown: isolator resource/block-iops is not enforced: the pod is bounded as a whole, where each of its apps has a limit when it starts';
let tiny = '';
/** An image that asks for what there is not, and for less of block devices than there is. */
let unknown = '';

beforeAll(async () => {
  tiny = (await tinyImages()).aci.plain;
  const isolators = [
    { name: 'example.com/gravity', value: 'less' },
    { name: 'resource/block-iops', value: { default: true, limit: '1000' } },
    { name: 'resource/block-bandwidth', value: { default: true, limit: '100M' } },
  ];
  const files = rkt.path('files');
  mkdirSync(files);
  unknown = await writeFileImage(rkt.path('unknown.aci'), {
    name: NAME,
    exec: ['/bin/sh'],
    files,
    isolators,
  });
});

describe.each(FLAVOURS)('$name', ({ image: stage1, ownKernel }) => {
  const STAGE1 = `--stage1-path=${stage1}`;

  test('a pod’s group on the host has what its apps may have together, and what goes to block devices', async () => {
    const sleep = ['--exec=/bin/sh', '--', '-c', 'sleep 1000'];
    const limits = ['--cpu=500m', '--cpu-shares=512'];
    const pod = await startPod(rkt, [STAGE1, unknown, ...limits, ...sleep]);
    pods.push(pod);
    // A machine has whole processors, and one more for its programs.
    const quota = ownKernel ? 200_000 : 50_000;
    expect(groupFiles(rkt.dir, pod.uuid, 'cpu.cfs_quota_us', 'cpu.max')[0]?.split(' ')[0]).toBe(`${quota}`);
    expect(groupFiles(rkt.dir, pod.uuid, 'cpu.shares', 'cpu.weight')[0]).toMatch(/^(512|20)$/);
    const operations = groupFiles(rkt.dir, pod.uuid, 'blkio.throttle.read_iops_device', 'io.max').join('\n');
    expect(operations).toMatch(/^\d+:\d+ (.*riops=)?1000( |$)/m);
    const bytes = groupFiles(rkt.dir, pod.uuid, 'blkio.throttle.write_bps_device', 'io.max').join('\n');
    expect(bytes).toMatch(/^\d+:\d+ (.*wbps=)?100000000( |$)/m);
    expect(await rkt.output(['status', pod.uuid])).toContain(`\nwarning=${UNKNOWN}\n`);
    const { warnings } = JSON.parse(await rkt.output(['status', pod.uuid, '--format=json']));
    expect(warnings).toEqual([UNKNOWN]);
  });

  test('an isolator without effect is said, or is refused with --strict-isolators: run, run-prepared and app add', async () => {
    const app = [unknown, '--exec=/bin/sh', '--', '-c', 'echo here'];
    const said = await rkt.run(['run', '--net=none', STAGE1, ...app]);
    expect(said).toMatchObject({ code: 0, stdout: 'here\n' });
    expect(said.stderr).toContain(`run: ${UNKNOWN}\n`);
    const refused = { code: 254, stdout: '', stderr: expect.stringContaining(`run: ${UNKNOWN}\n`) };
    expect(await rkt.run(['run', '--net=none', STAGE1, '--strict-isolators', ...app])).toMatchObject(refused);
    const prepared = (await rkt.output(['prepare', STAGE1, ...app])).trim();
    const start = ['run-prepared', '--net=none', '--strict-isolators', prepared];
    expect(await rkt.run(start)).toMatchObject(refused);
  });

  test('a pod without apps has settings of the kernel, and lets no app in that it cannot have', async () => {
    const sandbox = [STAGE1, '--sysctl=net.core.somaxconn=321', '--strict-isolators', '--cpu=1'];
    const pod = await startSandbox(rkt, sandbox);
    pods.push(pod);
    await rkt.output(['fetch', tiny]);
    await rkt.output(['fetch', unknown]);
    const start = async (app: string, image: string) => {
      const add = ['app', 'add', pod.uuid, image, `--name=${app}`, '--exec=/bin/sh'];
      await rkt.output([...add, '--', '-c', 'cat /proc/sys/net/core/somaxconn; sleep 1000']);
      return await rkt.run(['app', 'start', pod.uuid, `--app=${app}`]);
    };
    expect(await start('tiny', 'example.com/tiny')).toMatchObject({ code: 0 });
    await eventually('it has said so', () => /321$/m.test(pod.command.stdout));
    const { code, stderr } = await start('unknown', NAME);
    expect(code).toBe(254);
    expect(stderr).toContain(UNKNOWN);
    expect(stderr).toContain(LATER);
  });

  test('what is prepared keeps its limits', async () => {
    const limits = [
      ...['--cpu-shares=512', '--pids-limit=6', '--ulimit=nofile=100:200', '--oom-score-adj=300'],
      ...['--caps-remove=CAP_KILL', '--memory=64Mi', '--cpu=1'],
    ];
    const script =
      'ulimit -n; cat /proc/self/oom_score_adj /proc/sys/net/core/somaxconn; grep CapBnd /proc/self/status';
    const args = ['--sysctl=net.core.somaxconn=321', tiny, ...limits, '--exec=/bin/sh', '--', '-c', script];
    const uuid = (await rkt.output(['prepare', STAGE1, ...args])).trim();
    const names = JSON.parse(await rkt.output(['cat-manifest', uuid])).apps[0].app.isolators.map(
      ({ name }: { name: string }) => name,
    );
    expect(names).toEqual(expect.arrayContaining(['os/linux/cpu-shares', 'coreos.com/rkt/pids-limit']));
    expect(await rkt.output(['run-prepared', '--net=none', uuid])).toBe(
      '100\n300\n321\nCapBnd:\t00000000a80425db\n',
    );
    const old = ['--cap-retain=CAP_KILL', '--exec=/bin/sh', '--', '-c', 'grep CapBnd /proc/self/status'];
    const retained = (await rkt.output(['prepare', STAGE1, tiny, ...old])).trim();
    expect(await rkt.output(['run-prepared', '--net=none', retained])).toBe('CapBnd:\t0000000000000020\n');
    const both = ['--caps-retain=CAP_KILL', '--cap-remove=CAP_CHOWN'];
    expect(await rkt.run(['prepare', STAGE1, tiny, ...both])).toMatchObject({
      code: 254,
      stderr: 'prepare: --caps-retain and --caps-remove are mutually exclusive\n',
    });
  });

  test('where no control group is to be had a pod runs without, and says so; with --strict-isolators there is none', async () => {
    const bare = async (...flags: readonly string[]) => {
      const args = ['run', '--net=none', STAGE1, ...flags, tiny, '--exec=/bin/sh', '--', '-c', 'echo here'];
      const script = 'umount -l /sys/fs/cgroup && exec "$@"';
      const command = rkt.startArgv(['unshare', '--mount', 'sh', '-c', script, 'sh', ...rkt.argv(args)]);
      return await command.finished;
    };
    const said = await bare();
    expect(said).toMatchObject({ code: 0, stdout: 'here\n' });
    expect(said.stderr).toContain('run: the pod runs without a cgroup of its own: no cgroup');
    const refused = await bare('--strict-isolators');
    expect(refused).toMatchObject({ code: 254, stdout: '' });
    expect(refused.stderr).toContain('run: no cgroup for the pod: no cgroup');
  });

  test('a capability that there is not is refused: one that was to be removed would stay', async () => {
    const { code, stderr } = await rkt.run(['run', '--net=none', STAGE1, tiny, '--caps-remove=CAP_KIL']);
    expect(code).toBe(254);
    expect(stderr).toContain(
      'app tiny: os/linux/capabilities-remove-set: "CAP_KIL" is no capability such as CAP_CHOWN',
    );
  });
});

test('an app whose AppArmor profile the host does not have is no app, now or later', async () => {
  const image = await writeFileImage(rkt.path('profile.aci'), {
    name: 'example.com/profile',
    exec: ['/bin/sh'],
    files: rkt.path('files'),
    isolators: [{ name: 'os/linux/apparmor-profile', value: { profile: 'no-such-profile' } }],
  });
  const why = 'isolator os/linux/apparmor-profile: the host has no profile "no-such-profile" loaded';
  expect(await rkt.run(['run', '--net=none', image])).toMatchObject({
    code: 254,
    stderr: `run: app profile: ${why}\n`,
  });
  await rkt.output(['fetch', image]);
  const pod = await startSandbox(rkt, [`--stage1-path=${artefacts.stage1Ns}`]);
  pods.push(pod);
  expect(await rkt.run(['app', 'add', pod.uuid, 'example.com/profile', '--name=one'])).toMatchObject({
    code: 254,
    stderr: `add: app one: ${why}\n`,
  });
});
