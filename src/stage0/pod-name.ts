import { exclusive } from '../os/lock.ts';
import { findNamed } from '../pod/listing.ts';
import { type PodName, parsePodName, writeName } from '../pod/name.ts';
import { currentState } from '../pod/observation.ts';
import type { Pod } from '../pod/pod.ts';
import { Stage0Error } from './errors.ts';
import { type Host, namesLock } from './host.ts';

/** As a command line gives it. Throws Stage0Error `bad-request`. */
export function requestedPodName(text: string): PodName {
  try {
    return parsePodName(text);
  } catch (cause) {
    throw new Stage0Error('bad-request', '--pod-name', { cause });
  }
}

/**
 * Gives a name to a pod that is ours and in phase `prepare`. There is no register of names that could disagree with the pods: who
 * takes one looks at all of them, under a lock. Throws Stage0Error `name-taken`, which says by whom.
 */
export async function claimName(
  host: Host,
  pod: Pod,
  name: PodName,
  signal: AbortSignal | undefined,
): Promise<void> {
  using _ = await exclusive(namesLock(host), signal);
  const holder = findNamed(pod.pods, name);
  const state = holder === undefined ? undefined : currentState(holder);
  // One that has gone meanwhile holds nothing.
  if (holder !== undefined && state !== undefined)
    throw new Stage0Error(
      'name-taken',
      `pod name ${JSON.stringify(name)} is taken by pod ${JSON.stringify(holder.uuid)} (${state})`,
    );
  writeName(pod, name);
}
