import { setTimeout as delay } from 'node:timers/promises';
import type { PodReference } from '../pod/directory.ts';
import { currentState } from '../pod/observation.ts';
import { Stage0Error } from './errors.ts';

/** How long to wait for something, in milliseconds; undefined: as long as it takes. */
export interface Patience {
  readonly milliseconds: number | undefined;
}

const POLL_MILLISECONDS = 100;

/**
 * Waits for what a pod comes to; `what` names it after "to". A pod's end is the release of its lock, which nobody is told of:
 * it is asked for. Throws Stage0Error `timed-out`.
 */
export async function until(
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

/** Whether a pod will never run any more. */
export function hasEnded(pod: PodReference): boolean {
  const state = currentState(pod);
  return state !== 'running' && state !== 'preparing' && state !== 'prepared';
}

/** A supervisor that ends listens no more, a moment before it lets go of its pod. */
export async function endsWithin(pod: PodReference, milliseconds: number): Promise<boolean> {
  try {
    await until(pod, { milliseconds }, hasEnded, 'exit');
    return true;
  } catch (error) {
    if (error instanceof Stage0Error && error.code === 'timed-out') return false;
    throw error;
  }
}
