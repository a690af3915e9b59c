import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type MountPlan, parseMountPlan } from '../abi/mount-plan.ts';
import { POD } from '../abi/pod-directory.ts';
import { type ImageManifest, type PodManifest, readImageManifest, readPodManifest } from '../appc/index.ts';
import { ensureLockFile, exclusive, type Lock } from '../os/lock.ts';
import { isSystemError } from '../os/syscall.ts';
import { type PodReference, podPath } from '../pod/directory.ts';
import { hold } from '../pod/hold.ts';
import { currentState } from '../pod/observation.ts';
import { readPod } from '../pod/record.ts';
import { Stage0Error } from './errors.ts';
import { replaceManifest } from './pod-files.ts';

/** A mutable pod that nobody else brings apps to, starts or removes apps of, as long as this is held. */
export class Mutation implements Disposable {
  readonly #locks: readonly Lock[];

  constructor(
    readonly pod: PodReference,
    /** Whether it ran when it was taken: it may end at any time. */
    readonly isRunning: boolean,
    locks: readonly Lock[],
  ) {
    this.#locks = locks;
  }

  get path(): string {
    return podPath(this.pod);
  }

  get manifest(): PodManifest {
    return readPodManifest(readFileSync(join(this.path, POD.manifest), 'utf8'));
  }

  set manifest(manifest: PodManifest) {
    replaceManifest(this.path, manifest);
  }

  get mountPlan(): MountPlan {
    return parseMountPlan(JSON.parse(readFileSync(join(this.path, POD.mountPlan), 'utf8')));
  }

  get stage1(): ImageManifest {
    return readImageManifest(readFileSync(join(this.path, POD.stage1Manifest), 'utf8'));
  }

  has(app: string): boolean {
    return this.manifest.apps.some(({ name }) => name === app);
  }

  [Symbol.dispose](): void {
    for (const lock of this.#locks) lock.release();
  }
}

/** Takes a pod that runs and is ready, waiting for who has it. Throws Stage0Error `not-running`, `bad-request` for one that is immutable. */
export async function mutateRunning(found: PodReference, signal?: AbortSignal): Promise<Mutation> {
  checkMutable(found);
  checkReady(found);
  const pod: PodReference = { ...found, phase: 'run' };
  const lock = await mutationLock(pod, signal);
  return new Mutation(pod, true, [lock]);
}

/** As `mutateRunning`, but one that has ended will do as well. Throws Stage0Error `busy` when that is being removed. */
export async function mutateAny(found: PodReference, signal?: AbortSignal): Promise<Mutation> {
  checkMutable(found);
  const pod: PodReference = { ...found, phase: 'run' };
  const lock = await mutationLock(pod, signal);
  try {
    if (currentState(pod) === 'running') return new Mutation(pod, true, [lock]);
    return new Mutation(pod, false, [lock, await holdEnded(pod)]);
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** As long as somebody holds it, nobody removes the pod; it does not look as if it ran either. */
async function holdEnded(pod: PodReference): Promise<Lock> {
  const holding = await hold(pod);
  if (holding.kind === 'held' && holding.pod.reference.phase === 'run') return holding.pod.lock;
  if (holding.kind === 'held') holding.pod.lock.release();
  throw new Stage0Error('busy', `pod ${JSON.stringify(pod.uuid)} is being removed`);
}

/** Throws Stage0Error `bad-request`. */
export function checkMutable(pod: PodReference): void {
  const record = readPod(pod);
  if (record === undefined) throw new Stage0Error('no-pod', `pod ${JSON.stringify(pod.uuid)} was removed`);
  if (!record.isMutable)
    throw new Stage0Error(
      'bad-request',
      `pod ${JSON.stringify(pod.uuid)} is immutable: only pods of "rkt app sandbox" are not`,
    );
}

/** Throws Stage0Error `not-running`. */
export function checkReady(pod: PodReference): void {
  const record = readPod(pod);
  if (record?.state !== 'running') throw notRunning(pod);
  if (!record.isReady)
    throw new Stage0Error('not-running', `pod ${JSON.stringify(pod.uuid)} is still starting`);
  if (record.isPaused) throw new Stage0Error('not-running', `pod ${JSON.stringify(pod.uuid)} is paused`);
}

function notRunning({ uuid }: PodReference): Stage0Error {
  return new Stage0Error('not-running', `pod ${JSON.stringify(uuid)} isn't currently running`);
}

async function mutationLock(pod: PodReference, signal: AbortSignal | undefined): Promise<Lock> {
  try {
    return await exclusive(ensureLockFile(join(podPath(pod), POD.mutationLock)), signal);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) throw notRunning(pod);
    throw error;
  }
}
