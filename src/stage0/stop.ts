import { setTimeout as delay } from 'node:timers/promises';
import { formatStopArguments } from '../abi/stage1.ts';
import type { PodUUID } from '../appc/index.ts';
import { type PodReference, podPath, podsDirectory } from '../pod/directory.ts';
import { lookUpPod } from '../pod/listing.ts';
import { currentState } from '../pod/observation.ts';
import { readPod } from '../pod/record.ts';
import { findEntrypoint } from './entrypoint.ts';
import { Stage0Error } from './errors.ts';
import type { Host } from './host.ts';
import { endsWithin, hasEnded, until } from './patience.ts';
import { callStage1, type Stage1Call } from './stage1-call.ts';

export interface StopRequest {
  /** A UUID or the beginning of one. */
  readonly uuid: string;
  /** At once, without a word to the apps. */
  readonly force: boolean;
}

export interface Stopped {
  readonly kind: 'stopped' | 'already-stopped';
  readonly uuid: PodUUID;
}

/** The stage1 passes a word on to the supervisor, no more. */
const CALL_MILLISECONDS = 30_000;
/** What a supervisor that has just been started may need to begin to listen. */
const START_MILLISECONDS = 10_000;
const RETRY_MILLISECONDS = 100;
/** What one that ends may need to end. */
const END_MILLISECONDS = 5000;

/**
 * Ends a pod by its stage1's `stop`, and waits for the end. Throws PodError when there is no such pod, Stage0Error `not-running`
 * for one that has never run, `bad-stage1`.
 */
export async function stop(host: Host, { uuid, force }: StopRequest): Promise<Stopped> {
  const pod = lookUpPod(podsDirectory(host.dataDirectory), uuid);
  const state = currentState(pod);
  switch (state) {
    case 'running':
      await end(pod, force);
      return { kind: 'stopped', uuid: pod.uuid };
    case 'exited':
    case 'exited deleting':
    case 'exited garbage':
      return { kind: 'already-stopped', uuid: pod.uuid };
    case 'embryo':
    case 'preparing':
    case 'aborted prepare':
    case 'prepared':
    case 'deleting':
    case 'garbage':
      throw new Stage0Error('not-running', `pod ${JSON.stringify(pod.uuid)} isn't currently running`);
    case undefined:
      throw new Stage0Error('no-pod', `pod ${JSON.stringify(pod.uuid)} was removed`);
    default:
      return state satisfies never;
  }
}

async function end(pod: PodReference, force: boolean): Promise<void> {
  // Where running pods are: it may have been found a moment earlier.
  const path = podPath({ ...pod, phase: 'run' });
  const entrypoint = findEntrypoint(path, 'stop');
  if (entrypoint !== undefined) {
    const args = formatStopArguments({ uuid: pod.uuid, force });
    await ask(pod, path, { name: 'stop', path: entrypoint, args, timeout: CALL_MILLISECONDS });
  } else if (!hasEnded(pod)) throw new Stage0Error('bad-stage1', "the pod's stage1 has no stop entrypoint");
  await until(pod, { milliseconds: undefined }, hasEnded, 'exit');
}

/** The pod may end by itself or by another's word meanwhile, or be only about to start: then the stage1's refusal is none. */
async function ask(pod: PodReference, path: string, call: Stage1Call): Promise<void> {
  for (const deadline = performance.now() + START_MILLISECONDS; ; await delay(RETRY_MILLISECONDS)) {
    try {
      await callStage1(path, call);
      return;
    } catch (error) {
      if (hasEnded(pod)) return;
      const isStarting = readPod(pod)?.isReady !== true && performance.now() < deadline;
      if (!isStarting && !(await endsWithin(pod, END_MILLISECONDS))) throw error;
    }
  }
}
