import { setTimeout as delay } from 'node:timers/promises';
import { type PodReference, podsDirectory } from '../pod/directory.ts';
import { lookUpPod } from '../pod/listing.ts';
import { currentState } from '../pod/observation.ts';
import { type PodRecord, readPod } from '../pod/record.ts';
import { Stage0Error } from './errors.ts';
import type { Host } from './host.ts';

/** How long to wait for something, in milliseconds; undefined: as long as it takes. */
export interface Patience {
  readonly milliseconds: number | undefined;
}

export interface StatusRequest {
  /** A UUID or the beginning of one. */
  readonly uuid: string;
  /** Wait until the pod no longer runs. */
  readonly wait?: Patience;
  /** Wait until all its apps have been started. */
  readonly waitReady?: Patience;
}

const POLL_MILLISECONDS = 100;

/** What is known of one pod. Throws PodError when there is no such pod, Stage0Error `timed-out`. */
export async function status(host: Host, request: StatusRequest): Promise<PodRecord> {
  const pod = lookUpPod(podsDirectory(host.dataDirectory), request.uuid);
  if (request.wait !== undefined) await until(pod, request.wait, hasEnded, 'exit');
  if (request.waitReady !== undefined) await until(pod, request.waitReady, isReady, 'be ready');
  const record = readPod(pod);
  if (record === undefined) throw new Stage0Error('no-pod', `pod ${JSON.stringify(pod.uuid)} was removed`);
  return record;
}

function hasEnded(pod: PodReference): boolean {
  const state = currentState(pod);
  return state !== 'running' && state !== 'preparing' && state !== 'prepared';
}

function isReady(pod: PodReference): boolean {
  const record = readPod(pod);
  return record === undefined || record.isReady || hasEnded(pod);
}

// A pod's end is the release of its lock, which nobody is told of: it is asked for.
async function until(
  pod: PodReference,
  { milliseconds }: Patience,
  isSo: (pod: PodReference) => boolean,
  what: string,
): Promise<void> {
  const deadline = milliseconds === undefined ? Number.POSITIVE_INFINITY : performance.now() + milliseconds;
  while (!isSo(pod)) {
    const left = deadline - performance.now();
    if (left <= 0)
      throw new Stage0Error('timed-out', `timed out waiting for pod ${JSON.stringify(pod.uuid)} to ${what}`);
    await delay(Math.min(POLL_MILLISECONDS, left));
  }
}
