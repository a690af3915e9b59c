import { writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { FLAVOURS } from '../support/flavours.ts';
import { tinyImages } from '../support/images.ts';
import { eventually } from '../support/polling.ts';
import { useRkt } from '../support/rkt.ts';
import { endPod, startPod } from '../support/running-pod.ts';

const rkt = useRkt();
let image = '';
beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
});

/** Says how often it has been started: its root outlives its processes. */
const COUNT = 'echo x >> /starts; n=$(wc -l < /starts); echo "start $n"';

interface AppStatus {
  readonly state: string;
  readonly restart?: string;
  readonly restarts?: number;
  readonly next_restart_at?: number;
  readonly last_exit_code?: number;
}

async function appOf(uuid: string): Promise<AppStatus> {
  const { apps } = JSON.parse(await rkt.output(['status', '--format=json', uuid]));
  return apps[0];
}

describe.each(FLAVOURS)('$name: --restart', ({ image: stage1 }) => {
  const app = (policy: string, script: string, name = 'app') => [
    ...[image, `--name=${name}`, '--exec=/bin/sh', `--restart=${policy}`, '--', '-c', script],
  ];
  const run = (words: readonly string[]) =>
    rkt.run(['run', `--stage1-path=${stage1}`, '--net=none', ...words]);
  const start = (words: readonly string[]) => startPod(rkt, [`--stage1-path=${stage1}`, ...words]);

  test('on-failure: until it has done its work, with one output throughout', async () => {
    const script = `${COUNT}; [ $n -lt 3 ] && exit 4; exit 0`;
    expect(await run(app('on-failure', script))).toMatchObject({
      code: 0,
      stdout: 'start 1\nstart 2\nstart 3\n',
    });
    const pods = await rkt.list();
    const status = await rkt.output(['status', pods.at(-1)?.name ?? '']);
    expect(status).toMatch(/^app-app=0\napp-app-restarts=2\n/m);
  });

  test('on-failure:N: so often, then it is a failure of the pod', async () => {
    const other = [image, '--name=other', '--exec=/bin/sh', '--', '-c', 'while :; do sleep 1; done'];
    const words = [...app('on-failure:1', `${COUNT}; kill -9 $$`), '---', ...other];
    expect(await run(words)).toMatchObject({ code: 137, stdout: 'start 1\nstart 2\n' });
  });

  test('no: as without it', async () => {
    expect(await run(app('no', `${COUNT}; exit 3`))).toMatchObject({ code: 3, stdout: 'start 1\n' });
  });

  test('always: also after 0, until the pod is stopped; status tells of it', async () => {
    const script = `trap 'exit 0' TERM; ${COUNT}; [ $n -lt 3 ] && exit 7; exit 0`;
    const pod = await start(app('always', script));
    await eventually('it rests, for three seconds by now', async () => {
      const { restarts = 0, next_restart_at: next } = await appOf(pod.uuid);
      return restarts >= 6 && next !== undefined;
    });
    const resting = await appOf(pod.uuid);
    expect(resting).toMatchObject({ state: 'running', restart: 'always', last_exit_code: 0 });
    expect(await rkt.output(['status', pod.uuid])).toMatch(/^app-app-restarts=[6-9]$/m);
    await rkt.output(['stop', pod.uuid]);
    expect((await pod.command.finished).code).toBe(0);
    expect(pod.command.stdout).toMatch(/^start 1\nstart 2\nstart 3\nstart 4\n/);
    expect(await appOf(pod.uuid)).toMatchObject({ state: 'exited', last_exit_code: 0 });
    expect((await appOf(pod.uuid)).next_restart_at).toBeUndefined();
  });

  test('leaves none of its processes behind, and can be entered again', async () => {
    const script = `${COUNT}; [ $n -gt 1 ] && { echo again; sleep 1000; }; sleep 987 & exit 1`;
    const pod = await start(app('on-failure', script));
    await eventually('it runs again', () => pod.command.stdout.includes('again'));
    const stdout = await eventually('it sleeps', async () => {
      const shown = await rkt.output(['enter', pod.uuid, '/bin/sh', '-c', 'ps']);
      return /root +sleep 1000$/m.test(shown) && shown;
    });
    expect(stdout).not.toMatch(/root +sleep 987$/m);
    await endPod(pod);
  });

  test('holds for a pod that is prepared, and one of a manifest; not at a terminal', async () => {
    const script = `${COUNT}; [ $n -lt 2 ] && exit 4; exit 0`;
    const uuid = (
      await rkt.output(['prepare', `--stage1-path=${stage1}`, ...app('on-failure', script)])
    ).trim();
    expect((await rkt.run(['run-prepared', '--net=none', '--interactive', uuid])).stderr).toContain(
      'interactive option does not go with --restart=on-failure',
    );
    const manifest = rkt.path('manifest.json');
    writeFileSync(manifest, await rkt.output(['cat-manifest', uuid]));
    expect(await rkt.run(['run-prepared', '--net=none', uuid])).toMatchObject({
      code: 0,
      stdout: 'start 1\nstart 2\n',
    });
    expect(await run([`--pod-manifest=${manifest}`])).toMatchObject({
      code: 0,
      stdout: 'start 1\nstart 2\n',
    });
  });

  test('is not tried where the app never could start', async () => {
    const { code, stderr } = await run([image, '--name=app', '--exec=/absent', '--restart=always']);
    expect(code).toBe(203);
    expect(stderr).toMatch(/app app: .*\/absent/);
  });
});

describe('--restart refuses', () => {
  test.each(['never', 'on-failure:0', 'on-failure:-1', 'always:2', ''])('%j', async (policy) => {
    expect(await rkt.run(['run', '--net=none', image, `--restart=${policy}`])).toMatchObject({
      code: 254,
      stderr: `run: --restart: ${JSON.stringify(policy)} is no restart policy: no, on-failure, on-failure:N (N from 1) or always\n`,
    });
  });

  test('a terminal', async () => {
    const { code, stderr } = await rkt.run(['run', '--net=none', '--interactive', image, '--restart=always']);
    expect({ code, stderr }).toEqual({
      code: 254,
      stderr: 'run: interactive option does not go with --restart=always: a terminal ends with its app\n',
    });
  });

  test('an annotation that is none', async () => {
    const words = ['--annotation=coreos.com/rkt/app/restart=perhaps'];
    const { code, stderr } = await rkt.run(['prepare', image, '--name=app', ...words]);
    expect({ code, stderr }).toMatchObject({ code: 254 });
    expect(stderr).toContain('app app: "perhaps" is no restart policy');
  });
});
