/** The requests `pause` and `resume`. */
import type { Caller } from '../control-server.ts';
import type { RunningPod } from './running-pod.ts';

export function pause(pod: RunningPod, _: unknown, caller: Caller): undefined {
  const refusal = pod.pauseRefusal();
  if (refusal === undefined) pod.standstill.pause((failure) => answer(caller, failure));
  else answer(caller, refusal);
}

export function resume(pod: RunningPod, _: unknown, caller: Caller): undefined {
  pod.standstill.resume((failure) => answer(caller, failure));
}

function answer(caller: Caller, refusal: string | undefined): void {
  caller.answer(refusal === undefined ? { type: 'done' } : { type: 'refused', message: refusal });
  caller.finish();
}
