import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findNamed, lookUpPod } from '../../../src/pod/listing.ts';
import { isPodName, parsePodName, writeName } from '../../../src/pod/name.ts';
import { createPod } from '../../../src/pod/pod.ts';
import { readPod } from '../../../src/pod/record.ts';
import { temporaryPods } from './pods.ts';

const pods = temporaryPods();
const web = parsePodName('web');

test('takes what can be a label of a host name, and never the beginning of a UUID', () => {
  const good = ['web', 'web-1', '0x', 'feed-me', 'a'.repeat(62).concat('z')];
  expect(good.filter((text) => !isPodName(text))).toEqual([]);
  const bad = ['', 'Web', 'a b', '-web', 'web-', 'w--b', 'a.b', 'wéb', 'z'.repeat(64), '../x', 'web\n'];
  expect(bad.filter(isPodName)).toEqual([]);
  for (const text of ['feed', 'f', '0', 'dead-beef', '00000000-0000-0000-0000-000000000000'])
    expect(() => parsePodName(text)).toThrow('could be the beginning of a UUID');
  expect(() => parsePodName('Web')).toThrow('"Web" is no name of a pod');
});

test('a name leads to its pod wherever that moves, and is free when the pod is gone', () => {
  const pod = createPod(pods());
  writeName(pod, web);
  expect(lookUpPod(pods(), 'web')).toMatchObject({ uuid: pod.uuid, phase: 'prepare' });
  for (const phase of ['run', 'exited-garbage'] as const) {
    pod.move(phase);
    expect(lookUpPod(pods(), 'web')).toMatchObject({ uuid: pod.uuid, phase });
    expect(readPod(pod)).toMatchObject({ podName: 'web' });
  }
  expect(() => lookUpPod(pods(), 'we')).toThrow('no matches found for "we"');
  pod.lock.release();
  expect(readPod(pod)).toMatchObject({ state: 'exited garbage', podName: 'web' });
  rmSync(join(pod.path), { recursive: true });
  expect(findNamed(pods(), web)).toBeUndefined();
});

test('a pod that never came to be, or never ran and goes, holds no name', () => {
  const aborted = createPod(pods());
  writeName(aborted, web);
  aborted.lock.release();
  using garbage = createPod(pods());
  writeName(garbage, web);
  garbage.move('garbage');
  expect(findNamed(pods(), web)).toBeUndefined();
  expect(readPod(aborted)).not.toHaveProperty('podName');
  using pod = createPod(pods());
  writeName(pod, web);
  expect(lookUpPod(pods(), 'web').uuid).toBe(pod.uuid);
});
