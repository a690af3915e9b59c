import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { createPod, type Pod } from '../../../src/pod/pod.ts';
import type { Phase } from '../../../src/pod/state.ts';
import { openHost } from '../../../src/stage0/host.ts';
import { runPrepared } from '../../../src/stage0/run-prepared.ts';
import { temporaryPods } from '../pod/pods.ts';

const pods = temporaryPods();

function podIn(...road: readonly Phase[]): Pod {
  const pod = createPod(pods());
  for (const phase of road) pod.move(phase);
  return pod;
}

/** Of a pod that cannot be run: here it must not come to an execve. */
async function refusal(uuid: string, interactive = false, remover?: readonly string[]): Promise<string> {
  const data = dirname(pods());
  const directories = { dataDirectory: data, systemConfig: data, localConfig: data };
  const host = openHost({ ...directories, insecure: new Set(), debug: false });
  const request = {
    uuid,
    net: 'none',
    interactive,
    hostname: undefined,
    ...(remover === undefined ? {} : { remover }),
  };
  return await runPrepared(host, request, {}, { report: () => undefined }).then(
    () => 'ran',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
}

const ABANDONED: readonly [string, readonly Phase[]][] = [
  ['aborted prepare', []],
  ['exited', ['run']],
  ['exited garbage', ['run', 'exited-garbage']],
  ['garbage', ['garbage']],
];

test.each(ABANDONED)(
  'a pod in state %s is not prepared, and nobody holds it afterwards',
  async (state, road) => {
    const pod = podIn(...road);
    pod.lock.release();
    const message = `pod "${pod.uuid}" is not prepared: its state is ${state}`;
    expect(await refusal(pod.uuid)).toBe(message);
    expect(await refusal(pod.uuid.slice(0, 8))).toBe(message);
  },
);

const HELD: readonly [string, readonly Phase[]][] = [
  ['its state is preparing', []],
  ['another command has taken it', ['prepared']],
  ['its state is running', ['run']],
];

test.each(HELD)('of a pod that somebody holds it is told that %s', async (reason, road) => {
  using pod = podIn(...road);
  expect(await refusal(pod.uuid)).toBe(`pod "${pod.uuid}" is not prepared: ${reason}`);
});

test('--rm is refused for a stage1 that does not remove pods, before the pod moves', async () => {
  const pod = podIn('prepared');
  const annotations = [{ name: 'coreos.com/rkt/stage1/run', value: '/run' }];
  const manifest = { acKind: 'ImageManifest', acVersion: '0.8.11', name: 'example.com/stage1', annotations };
  mkdirSync(join(pod.path, 'stage1'));
  writeFileSync(join(pod.path, 'stage1/manifest'), JSON.stringify(manifest));
  writeFileSync(join(pod.path, 'pod'), JSON.stringify({ acKind: 'PodManifest', acVersion: '0.8.11' }));
  pod.lock.release();
  const told = await refusal(pod.uuid, false, ['/bin/rkt']);
  expect(told).toMatch(
    /^--rm: example.com\/stage1 does not remove pods \(.*coreos.com\/rkt\/stage1\/removal\)$/,
  );
  expect(existsSync(pod.path)).toBe(true);
});

test('a pod that cannot be started stays prepared, for whoever tries again', async () => {
  const pod = podIn('prepared');
  const apps = ['a', 'b'].map((name) => ({ name, image: { id: `sha512-${'a'.repeat(64)}` } }));
  const manifest = { acVersion: '0.8.11', acKind: 'PodManifest', apps };
  writeFileSync(join(pod.path, 'pod'), JSON.stringify(manifest));
  pod.lock.release();
  const several = 'interactive option only supports pods with one app';
  expect(await refusal(pod.uuid, true)).toBe(several);
  expect(await refusal(pod.uuid)).toMatch(/stage1\/manifest/);
  expect(await refusal(pod.uuid, true)).toBe(several);
});

test('a pod that is not there is not found', async () => {
  expect(await refusal('0b0d')).toBe('no matches found for "0b0d"');
});
