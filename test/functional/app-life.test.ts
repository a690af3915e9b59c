import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { childOf } from '../support/child-process.ts';
import { FLAVOURS } from '../support/flavours.ts';
import { tinyImages } from '../support/images.ts';
import { eventually } from '../support/polling.ts';
import { useRkt } from '../support/rkt.ts';
import { endPod, type RunningPod, startPod, startSandbox, useRunningPods } from '../support/running-pod.ts';

const IMAGE = 'example.com/tiny';
const LOOP = 'while :; do sleep 0.1; done';
const rkt = useRkt();
const pods = useRunningPods();
let aci = '';
beforeAll(async () => {
  aci = (await tinyImages()).aci.plain;
  await rkt.output(['fetch', aci]);
});

const app = (word: string, { uuid }: RunningPod, name: string) => ['app', word, uuid, `--app=${name}`];
const addScript = ({ uuid }: RunningPod, name: string, script: string) => [
  ...['app', 'add', uuid, IMAGE, `--name=${name}`, '--exec=/bin/sh', '--', '-c', script],
];
const inside = ({ uuid }: RunningPod, name: string, script: string) => [
  ...['app', 'exec', `--app=${name}`, uuid, '/bin/sh', '-c', script],
];
const states = async ({ uuid }: RunningPod) =>
  (await rkt.output(['app', 'list', '--no-legend', uuid])).replaceAll('\t', ' ');

const openFiles = (pid: number) => readdirSync(`/proc/${pid}/fd`).length;

describe.each(FLAVOURS.filter(({ mutablePods }) => mutablePods))('$name', ({ image, rootsHolder }) => {
  const stage1 = [`--stage1-path=${image}`];
  describe.each([
    ['overlay', []],
    ['copy', ['--no-overlay']],
  ] as const)('with roots of kind %s', (kind, flags) => {
    let pod: RunningPod;
    beforeAll(async () => {
      pod = await startSandbox(rkt, [...stage1, ...flags]);
      pods.push(pod);
    });

    test('an app comes, runs, ends, runs again with what it has left, and goes', async () => {
      expect(await states(pod)).toBe('');
      await rkt.output(addScript(pod, 'web', `echo ${kind} web is up; ${LOOP}`));
      expect(await states(pod)).toBe('web created\n');
      await rkt.output(app('start', pod, 'web'));
      expect(await states(pod)).toBe('web running\n');
      await eventually('its output is the pod’s', () => pod.command.stdout.includes(`${kind} web is up\n`));
      expect(await rkt.output(inside(pod, 'web', 'cat /etc/passwd; echo left > /left'))).toContain('alice');
      await rkt.output(app('stop', pod, 'web'));
      expect(await states(pod)).toBe('web exited\n');
      await rkt.output(app('start', pod, 'web'));
      expect(await rkt.output(inside(pod, 'web', 'cat /left'))).toBe('left\n');
      await rkt.output(app('rm', pod, 'web'));
      expect(await states(pod)).toBe('');
      expect(await rkt.output(['list', '--no-legend'])).toMatch(/\t-\t/);
    });

    test('a later app of the same name finds nothing of the one before, however quickly it comes', async () => {
      for (const round of ['first', 'second']) {
        await rkt.output(addScript(pod, 'again', `ls -a / > /seen; echo ${round} > /left-${round}; ${LOOP}`));
        await rkt.output(app('start', pod, 'again'));
        const script = `until [ -e /left-${round} ]; do sleep 0.1; done; cat /seen`;
        const seen = (await rkt.output(inside(pod, 'again', script))).split('\n');
        expect(seen).toContain('bin');
        expect(seen.filter((name) => name.startsWith('left-'))).toEqual([]);
        await rkt.output(app('rm', pod, 'again'));
      }
    });

    test('nothing of an app that has gone is held on the host, and nothing it has written is lost', async () => {
      const held = () => openFiles(childOf(pod.command.pid, rootsHolder));
      const before = held();
      const script = 'find / -xdev > /dev/null; trap "echo last word; exit 0" TERM; echo up > /up; ';
      await rkt.output(addScript(pod, 'busy', script + LOOP));
      for (let times = 0; times < 2; times++) {
        await rkt.output(app('start', pod, 'busy'));
        await rkt.output(inside(pod, 'busy', 'until [ -e /up ]; do sleep 0.1; done; rm /up'));
        await rkt.output(app('stop', pod, 'busy'));
      }
      expect(await rkt.output(['logs', '--app=busy', '--stream=stdout', pod.uuid])).toBe(
        'last word\nlast word\n',
      );
      await rkt.output(app('rm', pod, 'busy'));
      expect(await rkt.output(['logs', pod.uuid])).not.toContain('last word');
      await eventually('its files are closed', () => held() <= before + 2);
    });

    test('starting what runs and stopping what does not is done already', async () => {
      await rkt.output(addScript(pod, 'idle', `echo x >> /starts; ${LOOP}`));
      await rkt.output(app('stop', pod, 'idle'));
      expect(await states(pod)).toContain('idle created\n');
      for (let times = 0; times < 2; times++) await rkt.output(app('start', pod, 'idle'));
      const starts = 'until [ -s /starts ]; do sleep 0.1; done; cat /starts';
      expect(await rkt.output(inside(pod, 'idle', starts))).toBe('x\n');
      for (let times = 0; times < 2; times++) await rkt.output(app('stop', pod, 'idle'));
      await rkt.output(app('rm', pod, 'idle'));
    });

    test('an app that fails is its own affair, and its pod’s exit code that of an orderly end', async () => {
      const own = await startSandbox(rkt, [...stage1, ...flags]);
      await rkt.output(addScript(own, 'bad', 'exit 7'));
      await rkt.output(app('start', own, 'bad'));
      await eventually('it has ended', async () => (await states(own)) === 'bad exited\n');
      await rkt.output(['app', 'add', own.uuid, IMAGE, '--name=none', '--exec=/no/such']);
      const { code, stdout, stderr } = await rkt.run(app('start', own, 'none'));
      expect({ code, stdout, stderr }).toEqual({
        code: 254,
        stdout: '',
        stderr: 'start: /no/such: no such file in the image\n',
      });
      await rkt.output(addScript(own, 'good', LOOP));
      await rkt.output(app('start', own, 'good'));
      expect(await states(own)).toBe('bad exited\nnone exited\ngood running\n');
      await rkt.output(['stop', own.uuid]);
      expect((await own.command.finished).code).toBe(0);
      expect(await rkt.output(['status', own.uuid])).toMatch(/^app-bad=7\napp-none=203\napp-good=143$/m);
      // Also of a pod that has ended.
      await rkt.output(app('rm', own, 'bad'));
      expect(await states(own)).toBe('none exited\ngood exited\n');
      const directory = join(rkt.dir, 'pods/run', own.uuid);
      expect(existsSync(join(directory, 'appsinfo/bad'))).toBe(false);
      expect(readFileSync(join(directory, 'mounts.json'), 'utf8')).not.toContain('/bad/');
    });
  });

  test('an image that is removed stays as long as an app of it is in a pod', async () => {
    const pod = await startSandbox(rkt, stage1);
    pods.push(pod);
    const ociImage = `oci:${(await tinyImages()).ociLayout}:latest`;
    const id = (await rkt.output(['fetch', ociImage])).trim();
    await rkt.output(['app', 'add', pod.uuid, id, '--name=web', '--exec=/bin/sh', '--', '-c', LOOP]);
    await rkt.output(['image', 'rm', id]);
    await rkt.output(['image', 'gc', '--grace-period=0s']);
    await rkt.output(app('start', pod, 'web'));
    expect(await rkt.output(inside(pod, 'web', 'cat /etc/passwd'))).toContain('alice');
  });

  test('an app that does not mind SIGTERM is killed after a grace', async () => {
    const pod = await startSandbox(rkt, stage1);
    pods.push(pod);
    await rkt.output(addScript(pod, 'deaf', `trap '' TERM; touch /deaf; ${LOOP}`));
    await rkt.output(app('start', pod, 'deaf'));
    await rkt.output(inside(pod, 'deaf', 'until [ -e /deaf ]; do sleep 0.1; done'));
    await rkt.output(app('stop', pod, 'deaf'));
    expect(await rkt.output(['app', 'status', pod.uuid, '--app=deaf'])).toMatch(/^exit_code=137$/m);
  });

  test('when the supervisor is killed nothing is left of what was added', async () => {
    const pod = await startSandbox(rkt, stage1);
    await rkt.output(addScript(pod, 'web', LOOP));
    await rkt.output(app('start', pod, 'web'));
    pod.command.signal('SIGKILL');
    await pod.command.finished;
    expect(await states(pod)).toBe('web exited\n');
    expect((await rkt.run(addScript(pod, 'late', LOOP))).stderr).toMatch(/isn't currently running\n$/);
    await rkt.output(app('rm', pod, 'web'));
  });

  test('pods of run are left as they are', async () => {
    const pod = await startPod(rkt, [...stage1, aci, '--name=web', '--exec=/bin/sh', '--', '-c', LOOP]);
    const refusal = `pod "${pod.uuid}" is immutable: only pods of "rkt app sandbox" are not\n`;
    for (const args of [
      addScript(pod, 'more', LOOP),
      ...['start', 'stop', 'rm'].map((word) => app(word, pod, 'web')),
    ])
      expect(await rkt.run(args)).toMatchObject({ code: 254, stdout: '', stderr: `${args[1]}: ${refusal}` });
    expect(await states(pod)).toBe('web running\n');
    await endPod(pod);
  });
});
