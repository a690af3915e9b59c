import { existsSync, mkdirSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tryShared } from '../../../src/os/lock.ts';
import { podPath } from '../../../src/pod/directory.ts';
import { findPod, listPods, lookUpPod } from '../../../src/pod/listing.ts';
import { currentState } from '../../../src/pod/observation.ts';
import { createPod, own } from '../../../src/pod/pod.ts';
import { removePod } from '../../../src/pod/removal.ts';
import { temporaryPods } from './pods.ts';

const pods = temporaryPods();

test('a pod is born locked, moves along its life, and is removed', () => {
  using pod = createPod(pods());
  expect(currentState(pod)).toBe('preparing');
  expect(statSync(pod.path).mode & 0o7777).toBe(0o2750);
  pod.move('prepared');
  pod.move('run');
  expect(currentState(pod)).toBe('running');
  expect(() => pod.move('prepare')).toThrow('does not move');
  pod.move('exited-garbage');
  expect(currentState(pod)).toBe('exited deleting');
  removePod(pod);
  expect(currentState(pod)).toBeUndefined();
  expect(listPods(pods())).toEqual([]);
});

test('who holds a pod keeps others out, who only looks does not', async () => {
  const pod = createPod(pods());
  pod.move('run');
  const found = lookUpPod(pods(), pod.uuid.slice(0, 4));
  expect(await own(found)).toEqual({ kind: 'busy', state: 'running' });
  pod.lock.release();
  expect(currentState(found)).toBe('exited');
  const probe = tryShared(podPath(found));
  setTimeout(() => probe?.release(), 30);
  expect(await own(found)).toMatchObject({ kind: 'owned' });
});

test('of many who want a pod one gets it, and it is found where it has moved', async () => {
  const pod = createPod(pods());
  const found = { pods: pods(), uuid: pod.uuid, phase: pod.phase };
  pod.move('prepared');
  pod.lock.release();
  const results = await Promise.all(Array.from({ length: 8 }, () => own(found)));
  expect(results.filter(({ kind }) => kind === 'owned')).toHaveLength(1);
  expect(results.filter(({ kind }) => kind === 'busy')).toHaveLength(7);
  for (const result of results) if (result.kind === 'owned') result.pod.lock.release();
});

test('a pod that is gone is an answer', async () => {
  const pod = createPod(pods());
  const found = findPod(pods(), pod.uuid);
  pod.move('garbage');
  removePod(pod);
  pod.lock.release();
  expect(found && (await own(found))).toEqual({ kind: 'gone' });
});

test('a removal follows no link out of the pod', () => {
  using pod = createPod(pods());
  for (const name of ['stage1/rootfs/rkt', 'appsinfo/app'])
    mkdirSync(join(pod.path, name), { recursive: true });
  for (const name of ['pod', 'stage1/manifest', 'stage1TreeStoreID', 'appsinfo/app/manifest'])
    writeFileSync(join(pod.path, name), 'text');
  symlinkSync('/', join(pod.path, 'stage1/rootfs/host'));
  pod.move('garbage');
  removePod(pod);
  expect(existsSync(pod.path)).toBe(false);
  expect(existsSync('/etc')).toBe(true);
});

test('a removal that was cut short is taken up again', () => {
  using pod = createPod(pods());
  writeFileSync(join(pod.path, 'pod'), 'text');
  pod.move('garbage');
  removePod(pod);
  expect(existsSync(pod.path)).toBe(false);
});

test('lookups say what is wrong', () => {
  using one = createPod(pods());
  expect(() => lookUpPod(pods(), '')).toThrow('UUID cannot be empty');
  expect(() => lookUpPod(pods(), 'zz')).toThrow('no matches found for "zz"');
  const twin = join(pods(), 'run', `${one.uuid.slice(0, 35)}${one.uuid.endsWith('0') ? '1' : '0'}`);
  mkdirSync(twin);
  expect(() => lookUpPod(pods(), one.uuid.slice(0, 35))).toThrow('ambiguous uuid, 2 matches');
  expect(lookUpPod(pods(), one.uuid.toUpperCase())).toMatchObject({ uuid: one.uuid });
});

test('what is no pod is not listed, an embryo is not shown', () => {
  mkdirSync(join(pods(), 'run', 'lost+found'));
  using pod = createPod(pods());
  renameSync(pod.path, join(pods(), 'embryo', pod.uuid));
  expect(listPods(pods())).toEqual([]);
  expect(listPods(pods(), ['embryo'])).toMatchObject([{ uuid: pod.uuid }]);
});
