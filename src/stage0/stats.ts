import type { ControlAnswer } from '../abi/control.ts';
import type { AppStatistics, PodStatistics } from '../abi/statistics.ts';
import type { PodUUID } from '../appc/index.ts';
import type { PodReference } from '../pod/directory.ts';
import { readName } from '../pod/name.ts';
import { askSupervisor } from './control.ts';
import { Stage0Error, type Stage0ErrorCode } from './errors.ts';
import type { Host } from './host.ts';
import { endsWithin } from './patience.ts';
import { notRunning, runningPod, runningPods } from './running.ts';

/** What a pod has used up to now. */
export interface PodSample extends PodStatistics {
  readonly uuid: PodUUID;
  readonly podName: string | undefined;
  readonly apps: readonly AppStatistics[];
}

export type Sampled =
  | { readonly kind: 'sample'; readonly sample: PodSample }
  | { readonly kind: 'ended'; readonly uuid: PodUUID; readonly error: unknown }
  | { readonly kind: 'failed'; readonly uuid: PodUUID; readonly error: unknown };

/** More than a supervisor waits for its guest. */
const ANSWER_MILLISECONDS = 10_000;
/** What a supervisor that listens no more may need to end. */
const END_MILLISECONDS = 2000;
/** What goes wrong with one that is there. */
const SILENT: readonly Stage0ErrorCode[] = ['unsupported', 'timed-out', 'refused'];

/** The pods that are meant: those that are named, or all that run. Throws PodError, Stage0Error `not-running`. */
export function sampledPods(host: Host, uuids: readonly string[]): PodReference[] {
  return uuids.length === 0 ? runningPods(host) : uuids.map((uuid) => runningPod(host, uuid));
}

/** All pods at the same time: one that does not answer keeps no other. Throws only what the signal has for a reason. */
export function samplePods(pods: readonly PodReference[], signal: AbortSignal): Promise<Sampled[]> {
  return Promise.all(pods.map((pod) => samplePod(pod, signal)));
}

async function samplePod(pod: PodReference, signal: AbortSignal): Promise<Sampled> {
  try {
    const answers = await askSupervisor(pod, { type: 'stats' }, { timeout: ANSWER_MILLISECONDS, signal });
    return { kind: 'sample', sample: sampleOf(pod, answers) };
  } catch (error) {
    signal.throwIfAborted();
    const isSilent = error instanceof Stage0Error && SILENT.includes(error.code);
    if (!isSilent && (await endsWithin(pod, END_MILLISECONDS)))
      return { kind: 'ended', uuid: pod.uuid, error: notRunning(pod) };
    return { kind: 'failed', uuid: pod.uuid, error };
  }
}

function sampleOf(pod: PodReference, answers: readonly ControlAnswer[]): PodSample {
  const whole = answers.find((answer) => answer.type === 'stats');
  if (whole === undefined) throw new Stage0Error('bad-stage1', "the pod's stage1 tells no statistics");
  const { type: _, ...statistics } = whole;
  return {
    uuid: pod.uuid,
    podName: readName({ ...pod, phase: 'run' }),
    ...statistics,
    apps: answers.flatMap((answer) => (answer.type === 'app-stats' ? answer.apps : [])),
  };
}
