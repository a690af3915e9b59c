import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { callForApp } from '../../../src/stage0/app-call.ts';
import { openHost } from '../../../src/stage0/host.ts';
import type { Check } from '../../../src/stage0/insecure-options.ts';
import { temporaryPods } from '../pod/pods.ts';
import { runningPod } from './scripted-stage1.ts';

const pods = temporaryPods();

function host(...insecure: readonly Check[]) {
  const data = dirname(pods());
  const directories = { dataDirectory: data, systemConfig: data, localConfig: data };
  return openHost({ ...directories, insecure: new Set(insecure), debug: true });
}

test('the stage1 is asked as rkt asked it, by arguments and environment, in the pod’s directory', async () => {
  using pod = runningPod(pods(), 'app/add', 'echo "$@" > asked; echo "$RKT_STAGE1_ENTERAPP" >> asked');
  await callForApp(host('paths'), { pod }, 'add', 'web');
  expect(readFileSync(join(pod.path, 'asked'), 'utf8')).toBe(
    `--app=web --debug --uuid=${pod.uuid} --disable-paths\nweb\n`,
  );
});

test('what it refuses is told in its words', async () => {
  using pod = runningPod(pods(), 'app/start', 'echo "app/start: not today" >&2; exit 254');
  await expect(callForApp(host(), { pod }, 'start', 'web')).rejects.toThrow(/^not today$/);
});

test('one that says nothing is named', async () => {
  using pod = runningPod(pods(), 'app/start', 'exit 3');
  await expect(callForApp(host(), { pod }, 'start', 'web')).rejects.toThrow(/app\/start/);
});

test('a pod that ends meanwhile is the reason, whatever it says', async () => {
  const pod = runningPod(pods(), 'app/rm', 'touch asked; while [ ! -e go ]; do sleep 0.01; done; exit 1');
  const asking = callForApp(host(), { pod }, 'rm', 'web');
  const told = expect(asking).rejects.toThrow(`pod "${pod.uuid}" has ended meanwhile`);
  await expect.poll(() => existsSync(join(pod.path, 'asked'))).toBe(true);
  pod.lock.release();
  writeFileSync(join(pod.path, 'go'), '');
  await told;
});

test('a stage1 without the entrypoint is told of', async () => {
  using pod = runningPod(pods(), 'app/stop', undefined);
  await expect(callForApp(host(), { pod }, 'stop', 'web')).rejects.toThrow(
    "the pod's stage1 has no app/stop entrypoint",
  );
});
