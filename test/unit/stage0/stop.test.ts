import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { createPod, type Pod } from '../../../src/pod/pod.ts';
import type { Phase } from '../../../src/pod/state.ts';
import { openHost } from '../../../src/stage0/host.ts';
import { stop } from '../../../src/stage0/stop.ts';
import { temporaryPods } from '../pod/pods.ts';
import { markReady, runningPod as scriptedPod } from './scripted-stage1.ts';

const pods = temporaryPods();

function podIn(...road: readonly Phase[]): Pod {
  const pod = createPod(pods());
  for (const phase of road) pod.move(phase);
  return pod;
}

const runningPod = (script: string | undefined): Pod => scriptedPod(pods(), 'stop', script);

function stopping(uuid: string, force = false) {
  const data = dirname(pods());
  const directories = { dataDirectory: data, systemConfig: data, localConfig: data };
  return stop(openHost({ ...directories, insecure: new Set(), debug: false }), { uuid, force });
}

test.each([false, true])('asks the stage1, force %s, and waits for the end of the pod', async (force) => {
  const pod = runningPod('echo "$@" > asked');
  const asked = join(pod.path, 'asked');
  let ended = false;
  const done = stopping(pod.uuid.slice(0, 8), force).finally(() => {
    ended = true;
  });
  await expect
    .poll(() => existsSync(asked) && readFileSync(asked, 'utf8'))
    .toBe(force ? `--force ${pod.uuid}\n` : `${pod.uuid}\n`);
  expect(ended).toBe(false);
  pod.lock.release();
  expect(await done).toEqual({ kind: 'stopped', uuid: pod.uuid });
});

test('asks again as long as the supervisor is only starting', async () => {
  const pod = runningPod('if [ -e tried ]; then touch asked; else touch tried; exit 1; fi');
  const done = stopping(pod.uuid);
  await expect.poll(() => existsSync(join(pod.path, 'asked'))).toBe(true);
  pod.lock.release();
  expect(await done).toEqual({ kind: 'stopped', uuid: pod.uuid });
});

test('what the stage1 of a pod that is up refuses is told in its words', async () => {
  using pod = runningPod('echo not today >&2; exit 1');
  markReady(pod);
  await expect(stopping(pod.uuid)).rejects.toThrow("stop of the pod's stage1 failed: not today");
});

test('a pod that ends while its stage1 is asked is stopped, whatever that says', async () => {
  const pod = runningPod('touch asked; while [ ! -e ended ]; do sleep 0.01; done; exit 1');
  markReady(pod);
  const done = stopping(pod.uuid);
  await expect.poll(() => existsSync(join(pod.path, 'asked'))).toBe(true);
  pod.lock.release();
  writeFileSync(join(pod.path, 'ended'), '');
  expect(await done).toEqual({ kind: 'stopped', uuid: pod.uuid });
});

test('a stage1 that cannot stop is named as the reason', async () => {
  using pod = runningPod(undefined);
  await expect(stopping(pod.uuid)).rejects.toThrow("the pod's stage1 has no stop entrypoint");
});

const ENDED: readonly (readonly Phase[])[] = [['run'], ['run', 'exited-garbage']];
test.each(ENDED)('a pod that has run (%s) is already stopped', async (...road) => {
  const pod = podIn(...road);
  pod.lock.release();
  expect(await stopping(pod.uuid)).toEqual({ kind: 'already-stopped', uuid: pod.uuid });
});

const NEVER_RAN: readonly (readonly Phase[])[] = [[], ['prepared'], ['garbage']];
test.each(NEVER_RAN)('a pod that has never run (%s) cannot be stopped', async (...road) => {
  const pod = podIn(...road);
  pod.lock.release();
  await expect(stopping(pod.uuid)).rejects.toThrow(`pod "${pod.uuid}" isn't currently running`);
});
