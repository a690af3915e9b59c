import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createPod, type Pod } from '../../../src/pod/pod.ts';
import { openHost } from '../../../src/stage0/host.ts';
import { type PodEnd, wait } from '../../../src/stage0/wait.ts';
import { temporaryPods } from '../pod/pods.ts';

const pods = temporaryPods();

function waitFor(uuid: string): Promise<PodEnd> {
  const data = dirname(pods());
  const directories = { dataDirectory: data, systemConfig: data, localConfig: data };
  return wait(openHost({ ...directories, insecure: new Set(), debug: false }), uuid);
}

/** As stage0 leaves it. */
function preparedPod(): Pod {
  const pod = createPod(pods());
  mkdirSync(join(pod.path, 'stage1/rootfs/rkt'), { recursive: true });
  writeFileSync(join(pod.path, 'stage1/rootfs/rkt/exit-code'), '');
  return pod;
}

function end(pod: Pod, code: string): void {
  writeFileSync(join(pod.path, 'stage1/rootfs/rkt/exit-code'), code);
  pod.lock.release();
}

test('gives the code that the supervisor has written, also when the pod goes at once', async () => {
  const pod = preparedPod();
  pod.move('prepared');
  const waiting = waitFor(pod.uuid);
  await delay(10);
  pod.move('run');
  end(pod, '7\n');
  rmSync(pod.path, { recursive: true });
  expect(await waiting).toEqual({ uuid: pod.uuid, exitCode: 7 });
});

test('gives the code of a pod that has ended, and none of one that was killed or is not as it should be', async () => {
  const [ended, killed, broken] = [preparedPod(), preparedPod(), preparedPod()];
  for (const pod of [ended, killed, broken]) pod.move('run');
  end(ended, '0\n');
  end(killed, '');
  end(broken, 'x\n');
  expect((await waitFor(ended.uuid)).exitCode).toBe(0);
  expect((await waitFor(killed.uuid)).exitCode).toBeUndefined();
  expect((await waitFor(broken.uuid)).exitCode).toBeUndefined();
});

test('a pod whose preparation was cut short never runs: nobody waits for it', async () => {
  const pod = preparedPod();
  pod.lock.release();
  expect(await waitFor(pod.uuid)).toEqual({ uuid: pod.uuid, exitCode: undefined });
});
