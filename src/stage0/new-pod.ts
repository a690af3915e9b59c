import { setImmediate as nextCycle } from 'node:timers/promises';
import type { Pod } from '../pod/pod.ts';
import { removePod } from '../pod/removal.ts';
import type { Attention, Host } from './host.ts';
import { claimName } from './pod-name.ts';
import { fillPod, type PrepareRequest } from './preparation.ts';
import { noteCommand, noteMark } from './timeline.ts';

/** What becomes of a pod that could not be prepared: it goes at once, or stays as `aborted prepare` for who knows its UUID. */
export type OnFailure = 'discard' | 'keep';

/** As `fillPod`, with the name that the pod is to have before anything is fetched for it; an interruption until the very end of it counts as well. */
export async function fillNewPod(
  host: Host,
  pod: Pod,
  request: PrepareRequest,
  attention: Attention,
  onFailure: OnFailure,
): Promise<void> {
  try {
    noteCommand(pod, 'command');
    noteMark(pod, 'created');
    if (request.name !== undefined) await claimName(host, pod, request.name, attention.signal);
    await fillPod(host, pod, request, attention);
    // A signal that came while nobody waited is heard in the next cycle; once this process is the supervisor nobody would.
    await nextCycle();
    attention.signal?.throwIfAborted();
  } catch (error) {
    if (onFailure === 'discard') discard(pod);
    throw error;
  }
}

/** A pod that no stage1 has seen. What cannot be removed is left to `gc`: the reason to discard it is the news. */
export function discard(pod: Pod): void {
  try {
    pod.move('garbage');
    removePod(pod);
  } catch {}
}
