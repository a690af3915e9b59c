import { restartOf } from '../abi/restart.ts';
import { readPodManifest } from '../appc/index.ts';
import { type PodReference, podsDirectory } from '../pod/directory.ts';
import { lookUpPod } from '../pod/listing.ts';
import { own, type Pod } from '../pod/pod.ts';
import { readManifestText } from '../pod/record.ts';
import { type State, stateOf } from '../pod/state.ts';
import type { Detached } from './detachment.ts';
import { Stage0Error } from './errors.ts';
import type { Attention, Host } from './host.ts';
import { refuseRestart } from './life-request.ts';
import { start } from './start.ts';
import { refuseStreams } from './stream-request.ts';
import type { Environment, StartRequest } from './supervisor.ts';
import { noteCommand, noteMark } from './timeline.ts';

export interface RunPreparedRequest extends StartRequest {
  /** A UUID or the beginning of one. */
  readonly uuid: string;
}

/**
 * Becomes the supervisor of a pod that `prepare` has made, or starts one that is left alone: only then it returns. Throws PodError when there is no such pod,
 * Stage0Error `not-prepared` when it is in another state, or when somebody else has just taken it.
 */
export async function runPrepared(
  host: Host,
  request: RunPreparedRequest,
  environment: Environment,
  attention: Pick<Attention, 'report' | 'signal'>,
): Promise<Detached> {
  using pod = await takePrepared(lookUpPod(podsDirectory(host.dataDirectory), request.uuid));
  if (request.interactive) checkSingleApp(pod);
  noteCommand(pod, 'run-prepared');
  noteMark(pod, 'taken');
  return await start(host, pod, request, environment, attention);
}

/** Of several who try, the one who gets the lock has the pod. */
async function takePrepared(found: PodReference): Promise<Pod> {
  const ownership = await own(found);
  switch (ownership.kind) {
    case 'owned':
      if (ownership.pod.phase === 'prepared') return ownership.pod;
      ownership.pod.lock.release();
      throw notPrepared(found, stateOf(ownership.pod.phase, false));
    case 'busy':
      throw notPrepared(found, ownership.state);
    case 'gone':
      throw new Stage0Error('no-pod', `pod ${JSON.stringify(found.uuid)} was removed`);
    default:
      return ownership satisfies never;
  }
}

/** Begins with rkt's words. */
function notPrepared({ uuid }: PodReference, state: State): Stage0Error {
  // Locked in `prepared`, on its way to somewhere else.
  const reason = state === 'prepared' ? 'another command has taken it' : `its state is ${state}`;
  return new Stage0Error('not-prepared', `pod ${JSON.stringify(uuid)} is not prepared: ${reason}`);
}

function checkSingleApp(pod: Pod): void {
  const { apps } = readPodManifest(readManifestText(pod) ?? '');
  if (apps.length !== 1)
    throw new Stage0Error('bad-request', 'interactive option only supports pods with one app');
  apps.map(restartOf).forEach(refuseRestart);
  apps.forEach(refuseStreams);
}
