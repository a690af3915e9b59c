import { type PodReference, podsDirectory } from '../pod/directory.ts';
import { PodError } from '../pod/errors.ts';
import { lookUpPod } from '../pod/listing.ts';
import { own, type Pod } from '../pod/pod.ts';
import type { Phase, State } from '../pod/state.ts';
import { deletePod } from './deletion.ts';
import { Stage0Error } from './errors.ts';
import type { Host } from './host.ts';

/** Removes one pod, by its UUID or the beginning of one. Returns the UUID. Throws Stage0Error `busy`. */
export async function rm(host: Host, uuid: string): Promise<string> {
  const found = lookUpPod(podsDirectory(host.dataDirectory), uuid);
  using pod = await taken(found);
  const garbage = garbageOf(pod.phase);
  if (garbage !== undefined) pod.move(garbage);
  await deletePod(host, pod);
  return pod.uuid;
}

/** As `rm`, of a pod that has ended; another who is at it or was quicker is as good. */
export async function removeEnded(host: Host, uuid: string): Promise<void> {
  try {
    const { phase, uuid: whole } = lookUpPod(podsDirectory(host.dataDirectory), uuid);
    if (phase === 'prepare' || phase === 'prepared')
      throw new Stage0Error('not-running', `pod ${JSON.stringify(whole)} has not run`);
    await rm(host, whole);
  } catch (error) {
    const isOthers =
      (error instanceof Stage0Error && (error.code === 'no-pod' || error.code === 'busy')) ||
      (error instanceof PodError && error.code === 'no-match');
    if (!isOthers) throw error;
  }
}

async function taken(found: PodReference): Promise<Pod> {
  const ownership = await own(found);
  switch (ownership.kind) {
    case 'owned':
      return ownership.pod;
    case 'busy':
      throw new Stage0Error(
        'busy',
        `pod ${JSON.stringify(found.uuid)} is currently ${doing(ownership.state)}`,
      );
    case 'gone':
      throw new Stage0Error('no-pod', `pod ${JSON.stringify(found.uuid)} was removed`);
    default:
      return ownership satisfies never;
  }
}

function doing(state: State): string {
  switch (state) {
    case 'embryo':
    case 'preparing':
      return 'being prepared';
    case 'deleting':
    case 'exited deleting':
      return 'being deleted';
    case 'exited':
    case 'exited garbage':
      return 'being read by another command';
    default:
      return 'running';
  }
}

/** Where a pod goes to be removed; undefined when it is there. */
export function garbageOf(phase: Phase): Phase | undefined {
  switch (phase) {
    case 'embryo':
    case 'prepare':
    case 'prepared':
      return 'garbage';
    case 'run':
      return 'exited-garbage';
    case 'exited-garbage':
    case 'garbage':
      return undefined;
    default:
      return phase satisfies never;
  }
}
