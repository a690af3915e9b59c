import { setTimeout as delay } from 'node:timers/promises';
import { type Lock, tryShared } from '../os/lock.ts';
import { isSystemError } from '../os/syscall.ts';
import { type PodReference, podPath } from './directory.ts';
import { findPod } from './listing.ts';
import { isAt } from './pod.ts';
import { type State, stateOf } from './state.ts';

/** A pod that nobody moves, changes or removes as long as it is held; others may hold it, too, and its state is as it was. */
export class HeldPod implements Disposable {
  constructor(
    readonly reference: PodReference,
    readonly lock: Lock,
  ) {}

  get path(): string {
    return podPath(this.reference);
  }

  get state(): State {
    return stateOf(this.reference.phase, false);
  }

  [Symbol.dispose](): void {
    this.lock.release();
  }
}

export type Holding =
  | { readonly kind: 'held'; readonly pod: HeldPod }
  /** Somebody owns it. */
  | { readonly kind: 'busy'; readonly state: State }
  | { readonly kind: 'gone' };

/** A collector owns a pod for an instant to mark it: that must not look like a pod that runs. */
const ATTEMPTS = 40;
const PAUSE_MILLISECONDS = 5;

/** Holds a pod, wherever it has moved since it was found. Any number may hold one. */
export async function hold(found: PodReference): Promise<Holding> {
  let reference = found;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const lock = lockIfThere(podPath(reference));
    if (lock !== undefined && isAt(lock.fd, podPath(reference)))
      return { kind: 'held', pod: new HeldPod(reference, lock) };
    lock?.release();
    const now = findPod(found.pods, found.uuid);
    if (now === undefined) return { kind: 'gone' };
    reference = now;
    await delay(PAUSE_MILLISECONDS);
  }
  return { kind: 'busy', state: stateOf(reference.phase, true) };
}

function lockIfThere(path: string): Lock | undefined {
  try {
    return tryShared(path);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}
