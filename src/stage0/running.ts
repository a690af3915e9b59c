import { type PodReference, podsDirectory } from '../pod/directory.ts';
import { listPods, lookUpPod } from '../pod/listing.ts';
import { currentState } from '../pod/observation.ts';
import { Stage0Error } from './errors.ts';
import type { Host } from './host.ts';

/** A pod that runs, by its name, its UUID or the beginning of that. Throws PodError, Stage0Error `not-running`. */
export function runningPod(host: Host, uuid: string): PodReference {
  const pod = lookUpPod(podsDirectory(host.dataDirectory), uuid);
  if (currentState(pod) !== 'running') throw notRunning(pod);
  return pod;
}

export function notRunning({ uuid }: PodReference): Stage0Error {
  return new Stage0Error('not-running', `pod ${JSON.stringify(uuid)} isn't currently running`);
}

export function runningPods(host: Host): PodReference[] {
  const pods = listPods(podsDirectory(host.dataDirectory), ['run']);
  return pods.filter((pod) => currentState(pod) === 'running');
}
