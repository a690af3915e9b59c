import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { FLAVOURS } from '../support/flavours.ts';
import { GroupHost } from '../support/group-member.ts';
import { tinyImages } from '../support/images.ts';
import { useRkt } from '../support/rkt.ts';
import { endPod, type RunningPod, startPod, useRunningPods } from '../support/running-pod.ts';

const rkt = useRkt();
const host = new GroupHost(rkt);
const pods = useRunningPods();
let image = '';
beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
  // The data directory is made for the group by whoever finds that there is one.
  await host.root(['fetch', '--pull-policy=never', 'example.com/none']);
});

const inspect = async (...args: readonly string[]) => JSON.parse(await rkt.output(['inspect', ...args]));
const NANOSECONDS = expect.any(Number);

describe.each(FLAVOURS)('$name', ({ image: stage1, name: flavour, imageName, ownKernel }) => {
  const podName = `inspected-${flavour}`;
  let pod: RunningPod;
  beforeAll(async () => {
    const script = 'echo hello; while :; do sleep 1; done';
    pod = await startPod(rkt, [
      ...[`--stage1-path=${stage1}`, `--pod-name=${podName}`, '--user-label=tier=web'],
      ...[image, '--name=web', '--user=1000', '--group=2000', '--restart=always', '--readonly-rootfs=true'],
      ...['--exec=/bin/sh', '--', '-c', script],
    ]);
    pods.push(pod);
  });

  test('tells all of a pod that runs, by its name too', async () => {
    const [record] = await inspect(podName);
    const path = join(rkt.dir, 'pods/run', pod.uuid);
    expect(record).toMatchObject({
      uuid: pod.uuid,
      pod_name: podName,
      state: 'running',
      ready: true,
      created_at: NANOSECONDS,
      started_at: NANOSECONDS,
      pid: pod.command.pid,
      path,
      stage1: { flavour, name: imageName, image_id: expect.stringMatching(/^sha512-/) },
      user_labels: { tier: 'web' },
      manifest: { acKind: 'PodManifest', apps: [{ name: 'web', app: { exec: expect.any(Array) } }] },
      mounts: { version: 1, mounts: expect.any(Array) },
    });
    expect(record).not.toHaveProperty('exit_code');
    expect(record).not.toHaveProperty('paused');
    if (ownKernel)
      expect(record.machine).toEqual({
        accelerator: expect.stringMatching(/^(kvm|tcg)$/),
        cpus: expect.any(Number),
        memory_bytes: 384 * 1024 * 1024,
        uid: expect.any(Number),
        kernel: expect.stringMatching(/^\d+\.\d+/),
      });
    expect(record.apps).toMatchObject([
      {
        name: 'web',
        state: 'running',
        image_id: expect.stringMatching(/^sha512-/),
        image_name: 'example.com/tiny:1.0.0',
        pid: expect.any(Number),
        restart: 'always',
        restarts: 0,
        logs: join(path, 'logs/web'),
        root: join(path, 'stage1/rootfs/opt/stage2/web/rootfs'),
        process: {
          exec: ['/bin/sh', '-c', expect.any(String)],
          uid: 1000,
          gid: 2000,
          capabilities: expect.arrayContaining(['CAP_CHOWN', 'CAP_NET_BIND_SERVICE']),
          no_new_privileges: true,
          seccomp: true,
          read_only_root: true,
          terminal: false,
          mounts: expect.arrayContaining([expect.objectContaining({ kind: 'dev', target: '/dev' })]),
        },
      },
    ]);
    const [app] = record.apps;
    expect(await rkt.output(['enter', pod.uuid, 'cat', `/proc/${app.pid}/comm`])).toBe('sh\n');
  });

  test('in one line with --format=json; of the pod that --uuid-file names', async () => {
    const file = rkt.path('inspect-uuid');
    writeFileSync(file, `${pod.uuid}\n`);
    const line = await rkt.output(['inspect', '--format=json', `--uuid-file=${file}`]);
    expect(line).toMatch(/^\[\{.*\}\]\n$/);
    const pretty = await rkt.output(['inspect', pod.uuid]);
    expect(pretty.split('\n').length).toBeGreaterThan(50);
    expect(JSON.parse(pretty)).toEqual(JSON.parse(line));
  });

  test('whoever may read a pod’s files needs no root', async () => {
    const file = rkt.path('for-members');
    const words = [`--stage1-path=${stage1}`, '--net=none', `--uuid-file-save=${file}`];
    await host.root(['run', ...words, image, '--exec=/bin/true']);
    const { code, stdout, stderr } = await host.member(['inspect', `--uuid-file=${file}`]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const records = JSON.parse(stdout);
    expect(records).toMatchObject([{ state: 'exited', exit_code: 0, apps: [{ process: { uid: 0 } }] }]);
    expect(records).toEqual(await inspect(`--uuid-file=${file}`));
    expect((await host.stranger(['inspect', records[0].uuid])).code).toBe(254);
  });

  test('a pod that has ended has its exit codes; a pod that is prepared has what there is of it', async () => {
    const script = 'exit 7';
    const words = [`--stage1-path=${stage1}`, '--net=none', `--uuid-file-save=${rkt.path('ended')}`];
    const ended = await rkt.run([
      'run',
      ...words,
      image,
      '--name=brief',
      '--exec=/bin/sh',
      '--',
      '-c',
      script,
    ]);
    expect(ended.code).toBe(7);
    const [{ uuid }] = await inspect(`--uuid-file=${rkt.path('ended')}`);
    const prepared = (await rkt.output(['prepare', `--stage1-path=${stage1}`, image])).trimEnd();
    const { code, stdout, stderr } = await rkt.run(['inspect', uuid, 'ffff-none', prepared]);
    expect({ code, stderr }).toEqual({
      code: 254,
      stderr: 'inspect: no matches found for "ffff-none"\ninspect: failed to inspect one or more pods\n',
    });
    const records = JSON.parse(stdout);
    expect(records).toMatchObject([
      { uuid, state: 'exited', exit_code: 7, apps: [{ name: 'brief', state: 'exited', exit_code: 7 }] },
      { uuid: prepared, state: 'prepared', ready: false, apps: [{ state: 'created' }] },
    ]);
    expect(records[0].apps[0]).not.toHaveProperty('pid');
    expect(records[1]).not.toHaveProperty('machine');
  });

  test('a paused pod says so', async () => {
    await rkt.output(['pause', pod.uuid]);
    expect(await inspect(pod.uuid)).toMatchObject([{ state: 'running', paused: true }]);
    await endPod(pod);
    expect((await inspect(pod.uuid))[0]).not.toHaveProperty('paused');
  });
});
