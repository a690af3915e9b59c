import { writeGivenFile } from '../os/given-file.ts';
import { shared } from '../os/lock.ts';
import { ensurePodsDirectory } from '../pod/directory.ts';
import { createPod, type Pod } from '../pod/pod.ts';
import type { Detached } from './detachment.ts';
import { Stage0Error } from './errors.ts';
import { type Attention, type Host, preparationLock } from './host.ts';
import { rktMountPath } from './installation.ts';
import { discard, fillNewPod, type OnFailure } from './new-pod.ts';
import type { PrepareRequest } from './preparation.ts';
import { start } from './start.ts';
import type { Environment, StartRequest } from './supervisor.ts';
import { checkSources, requestedVolumes } from './volume-files.ts';

export interface RunRequest extends PrepareRequest, StartRequest {
  /** Gets the pod's UUID before anything can fail, so that a unit's ExecStopPost finds the pod. */
  readonly uuidFile: string | undefined;
}

/**
 * Makes a pod and becomes its supervisor, or starts one that is left alone: only then it returns. A pod that could not be prepared goes at once, unlike
 * rkt's; one with a UUID file stays behind as `aborted prepare`, for whoever reads that file to remove it.
 */
export async function run(
  host: Host,
  request: RunRequest,
  environment: Environment,
  attention: Attention,
): Promise<Detached> {
  // What is not installed is told before any image is fetched.
  rktMountPath();
  checkSources(requestedVolumes(request.pod));
  const onFailure = request.uuidFile === undefined ? 'discard' : 'keep';
  using pod = await newPod(host, request, attention, onFailure);
  try {
    return await start(host, pod, request, environment, attention);
  } catch (error) {
    // One that has been started stays, as any other.
    if (pod.phase === 'prepare' && onFailure === 'discard') discard(pod);
    throw error;
  }
}

async function newPod(
  host: Host,
  request: RunRequest,
  attention: Attention,
  onFailure: OnFailure,
): Promise<Pod> {
  const pods = ensurePodsDirectory(host.dataDirectory);
  using _ = await shared(preparationLock(host), attention.signal);
  const pod = createPod(pods);
  try {
    if (request.uuidFile !== undefined) saveUuid(pod, request.uuidFile);
    await fillNewPod(host, pod, request, attention, onFailure);
    return pod;
  } catch (error) {
    pod.lock.release();
    throw error;
  }
}

/** Throws Stage0Error `bad-request`; the pod, which nobody would know of, goes with it. */
function saveUuid(pod: Pod, file: string): void {
  try {
    writeGivenFile(file, pod.uuid);
  } catch (cause) {
    discard(pod);
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Stage0Error('bad-request', `--uuid-file-save=${file}: ${reason}`, {
      cause,
    });
  }
}
