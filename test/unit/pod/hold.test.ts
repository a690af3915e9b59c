import { expect, test } from 'vitest';
import { tryExclusive } from '../../../src/os/lock.ts';
import { podPath } from '../../../src/pod/directory.ts';
import { hold } from '../../../src/pod/hold.ts';
import { findPod } from '../../../src/pod/listing.ts';
import { currentState } from '../../../src/pod/observation.ts';
import { createPod, own, type Pod } from '../../../src/pod/pod.ts';
import { removePod } from '../../../src/pod/removal.ts';
import { temporaryPods } from './pods.ts';

const pods = temporaryPods();

function exitedPod(): Pod {
  const pod = createPod(pods());
  pod.move('run');
  return pod;
}

const heldPod = async (pod: Pod) => {
  const holding = await hold(pod);
  if (holding.kind !== 'held') throw new Error(`the pod is ${holding.kind}`);
  return holding.pod;
};

test('several hold a pod that has exited; it is as it was, and nobody owns it meanwhile', async () => {
  const exited = exitedPod();
  exited.lock.release();
  {
    using one = await heldPod(exited);
    using two = await heldPod(exited);
    expect([one.state, two.state, currentState(exited)]).toEqual(['exited', 'exited', 'exited']);
    expect(await own(exited)).toEqual({ kind: 'busy', state: 'exited' });
  }
  expect(await own(exited)).toMatchObject({ kind: 'owned' });
});

test('one that runs is not held', async () => {
  using running = exitedPod();
  expect(await hold(running)).toEqual({ kind: 'busy', state: 'running' });
});

test('one that is marked meanwhile is held where it is then; one that is removed is gone', async () => {
  const pod = exitedPod();
  const found = { pods: pods(), uuid: pod.uuid, phase: 'run' } as const;
  pod.move('exited-garbage');
  setTimeout(() => pod.lock.release(), 30);
  {
    using held = await heldPod({ ...pod, ...found } as Pod);
    expect([held.path, held.state]).toEqual([
      podPath({ ...found, phase: 'exited-garbage' }),
      'exited garbage',
    ]);
  }
  const ownership = await own(findPod(pods(), pod.uuid) ?? found);
  if (ownership.kind === 'owned') removePod(ownership.pod);
  expect(await hold(found)).toEqual({ kind: 'gone' });
});

test('who owns it for an instant does not make it busy', async () => {
  const pod = exitedPod();
  pod.lock.release();
  const collector = tryExclusive(podPath(pod));
  setTimeout(() => collector?.release(), 30);
  using held = await heldPod(pod);
  expect(held.state).toBe('exited');
});
