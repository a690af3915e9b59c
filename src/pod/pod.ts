import { chmodSync, fstatSync, lstatSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { POD } from '../abi/pod-directory.ts';
import { type PodUUID, podUUIDFromOctets } from '../appc/uuid.ts';
import { syncDirectory } from '../os/durable.ts';
import { type Lock, tryExclusive, tryShared } from '../os/lock.ts';
import { randomOctets } from '../os/random.ts';
import { isSystemError } from '../os/syscall.ts';
import { type PodReference, podPath } from './directory.ts';
import { PodError } from './errors.ts';
import { findPod } from './listing.ts';
import { checkEdge, type Phase, type State, stateOf } from './state.ts';

/** A pod that is ours: nobody else moves, changes or removes it as long as the lock is held. */
export class Pod implements Disposable {
  #phase: Phase;

  constructor(
    readonly pods: string,
    readonly uuid: PodUUID,
    phase: Phase,
    readonly lock: Lock,
  ) {
    this.#phase = phase;
  }

  get phase(): Phase {
    return this.#phase;
  }

  get path(): string {
    return podPath(this);
  }

  /** Throws PodError `bad-transition`. Once it returns, the move survives a power cut; but not an embryo's, of which nobody knows yet. */
  move(phase: Phase): void {
    const from = this.#phase;
    this.moveUnsynced(phase);
    if (from !== 'embryo') syncMoves(this.pods, from, phase);
  }

  /** As `move`, for who moves many and calls `syncMoves` in the end: until then a power cut may undo it. */
  moveUnsynced(phase: Phase): void {
    checkEdge(this.#phase, phase);
    renameSync(this.path, join(this.pods, phase, this.uuid));
    this.#phase = phase;
  }

  [Symbol.dispose](): void {
    this.lock.release();
  }
}

/** Pods that were moved stay where they are, whatever happens from now on. */
export function syncMoves(pods: string, from: Phase, to: Phase): void {
  // First the new parent: a pod must not be in neither.
  for (const parent of [to, from]) syncDirectory(join(pods, parent));
}

/** Makes a pod in phase `prepare`, with a random UUID. */
export function createPod(pods: string): Pod {
  // A collector may take an embryo between its making and its locking: then another one is made.
  for (let attempt = 0; attempt < 10; attempt++) {
    const pod = tryCreate(pods);
    if (pod !== undefined) return pod;
  }
  throw new PodError('raced', `no new pod could be locked in ${join(pods, 'embryo')}`);
}

function tryCreate(pods: string): Pod | undefined {
  const uuid = podUUIDFromOctets(randomOctets(16));
  const path = join(pods, 'embryo', uuid);
  mkdirSync(path);
  try {
    chmodSync(path, 0o2750);
    const lock = tryExclusive(path);
    if (lock === undefined) return undefined;
    const pod = new Pod(pods, uuid, 'embryo', lock);
    writeFileSync(join(path, POD.created), '');
    pod.move('prepare');
    return pod;
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}

export type Ownership =
  | { readonly kind: 'owned'; readonly pod: Pod }
  /** Somebody else holds it. */
  | { readonly kind: 'busy'; readonly state: State }
  | { readonly kind: 'gone' };

/** Who asks for a pod's state holds a shared lock for an instant: that must not look like an owner. */
const PROBE_PATIENCE = 200;

/** Takes a pod, wherever it has moved since it was found. Of several who try, one wins. */
export async function own(found: PodReference): Promise<Ownership> {
  let reference: PodReference | undefined = found;
  for (let attempt = 0; attempt < PROBE_PATIENCE; attempt++) {
    const taken = take(reference);
    if (taken === 'probed') await delay(5);
    else if (taken === 'moved') reference = findPod(found.pods, found.uuid);
    else return taken;
    if (reference === undefined) return { kind: 'gone' };
  }
  // Others hold it, but nobody owns it: they read what is in it.
  return { kind: 'busy', state: stateOf(reference.phase, false) };
}

function take(reference: PodReference): Ownership | 'probed' | 'moved' {
  const path = podPath(reference);
  try {
    const lock = tryExclusive(path);
    if (lock === undefined) return refusal(reference, path);
    if (!isAt(lock.fd, path)) {
      lock.release();
      return 'moved';
    }
    return { kind: 'owned', pod: new Pod(reference.pods, reference.uuid, reference.phase, lock) };
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return 'moved';
    throw error;
  }
}

function refusal(reference: PodReference, path: string): Ownership | 'probed' {
  using probe = tryShared(path);
  return probe === undefined ? { kind: 'busy', state: stateOf(reference.phase, true) } : 'probed';
}

/** Whether what the fd holds is still called so: another may have moved it between open and lock. */
export function isAt(fd: number, path: string): boolean {
  const held = fstatSync(fd, { bigint: true });
  const named = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return named !== undefined && named.dev === held.dev && named.ino === held.ino;
}
