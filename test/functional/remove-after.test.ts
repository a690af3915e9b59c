import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { detachedPod } from '../support/detached-pod.ts';
import { FLAVOURS } from '../support/flavours.ts';
import { tinyImages } from '../support/images.ts';
import { liveLeftovers, podDirectories } from '../support/leaks.ts';
import { eventually } from '../support/polling.ts';
import { useRkt } from '../support/rkt.ts';

const rkt = useRkt();
let image = '';
beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
});

const UNTIL_TOLD = 'trap "exit 4" TERM; echo ready; while :; do sleep 0.1; done';
const shell = (script: string) => [image, '--exec=/bin/sh', '--', '-c', script];
const nothingLeft = async () => {
  expect(podDirectories(rkt.dir)).toEqual([]);
  // The kernel takes a moment to end a killed machine.
  await eventually('nothing runs', () => liveLeftovers(rkt.scope, rkt.dir).length === 0);
};

describe.each(FLAVOURS)('--rm with $name', (flavour) => {
  const stage1 = `--stage1-path=${flavour.image}`;

  test.each([
    ['overlays', []],
    ['copied roots', ['--no-overlay']],
  ])('removes a pod of %s at its end, and keeps its exit code and output', async (_, flags) => {
    const run = ['run', '--net=none', '--rm', ...flags, stage1, ...shell('echo out; exit 7')];
    expect(await rkt.run(run)).toMatchObject({ code: 7, stdout: 'out\n' });
    await nothingLeft();
  });

  test('removes a pod that is stopped by a signal, and one that could not start its app', async () => {
    const command = rkt.start(['run', '--net=none', '--rm', stage1, ...shell(UNTIL_TOLD)]);
    await eventually('the app is up', () => command.stdout.includes('ready'));
    command.signal('SIGTERM');
    expect((await command.finished).code).toBe(4);
    await nothingLeft();
    expect((await rkt.run(['run', '--net=none', '--rm', stage1, image, '--exec=/no'])).code).toBe(203);
    await nothingLeft();
  });

  test('keeps the exit code of a pod that has ended, whatever signals come while it is removed', async () => {
    const [removing, go, hold] = ['removing', 'go-on', 'hold.cjs'].map((name) => rkt.path(name));
    const script = `
      const { existsSync, writeFileSync } = require('node:fs');
      if (process.argv.includes('__remove')) {
        writeFileSync(${JSON.stringify(removing)}, '');
        while (!existsSync(${JSON.stringify(go)})) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
      }`;
    for (const file of [removing, go]) rmSync(file ?? '', { force: true });
    writeFileSync(hold ?? '', script);
    const env = { NODE_OPTIONS: `--require=${hold}` };
    const command = rkt.start(['run', '--net=none', '--rm', stage1, ...shell('exit 7')], { env });
    await eventually('it is being removed', () => existsSync(removing ?? ''));
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) command.signal(signal);
    writeFileSync(go ?? '', '');
    expect((await command.finished).code).toBe(7);
    await nothingLeft();
  });

  test('with --detach removes the pod when it has ended; whoever waits gets its code', async () => {
    const uuid = await detachedPod(rkt, ['--rm', '--pod-name=short', stage1, ...shell(UNTIL_TOLD)]);
    await eventually('the app is up', async () => (await rkt.output(['logs', uuid])) === 'ready\n');
    const waiting = rkt.run(['wait', 'short']);
    const watching = rkt.run(['status', '--wait', uuid]);
    // Both have found their pod.
    await eventually('they wait', () => rkt.scope.processes().filter(isWaiting).length === 2);
    await rkt.output(['stop', 'short']);
    expect(await waiting).toMatchObject({ code: 0, stdout: '4\n' });
    // It may come too late to see more than that the pod is gone.
    expect([0, 254]).toContain((await watching).code);
    await eventually('the pod is removed', () => podDirectories(rkt.dir).length === 0);
  });

  test('what supervisors call removes no pod that is yet to run', async () => {
    const uuid = (await rkt.output(['prepare', stage1, image])).trim();
    const refused = await rkt.run(['__remove', uuid]);
    expect(refused.code).toBe(254);
    expect(refused.stderr).toContain(`pod "${uuid}" has not run`);
    expect(podDirectories(rkt.dir)).toHaveLength(1);
    await rkt.output(['rm', uuid]);
    await nothingLeft();
  });

  test('run-prepared --rm does the same', async () => {
    const uuid = (await rkt.output(['prepare', stage1, ...shell('exit 5')])).trimEnd();
    expect((await rkt.run(['run-prepared', '--net=none', '--rm', uuid])).code).toBe(5);
    await nothingLeft();
  });

  test('leaves a pod whose supervisor is killed to gc, as any other', async () => {
    const command = rkt.start(['run', '--net=none', '--rm', stage1, ...shell(UNTIL_TOLD)]);
    await eventually('the app is up', () => command.stdout.includes('ready'));
    command.signal('SIGKILL');
    expect((await command.finished).code).toBe(137);
    expect(await rkt.list()).toMatchObject([{ state: 'exited' }]);
    await rkt.output(['gc', '--grace-period=0s']);
    await nothingLeft();
  });
});

function isWaiting({ argv }: { readonly argv: readonly string[] }): boolean {
  return argv.some((word) => word === 'wait' || word === '--wait');
}

test('a pod that could not be prepared goes as without --rm', async () => {
  expect((await rkt.run(['run', '--net=none', '--rm', '--stage1-path=/none', image])).code).toBe(254);
  const pods = join(rkt.dir, 'pods');
  expect(existsSync(pods) ? readdirSync(join(pods, 'prepare')) : []).toEqual([]);
});
