import { isACName } from '../appc/index.ts';
import { type PodReference, podsDirectory } from '../pod/directory.ts';
import { lookUpPod } from '../pod/listing.ts';
import { currentState } from '../pod/observation.ts';
import { readPod } from '../pod/record.ts';
import { callForApp } from './app-call.ts';
import { clearApp, hasLeftovers, withdrawCopy } from './app-files.ts';
import { Stage0Error } from './errors.ts';
import type { Host } from './host.ts';
import { checkMutable, checkReady, mutateAny, mutateRunning } from './mutation.ts';
import { tellRemoval } from './registration.ts';

export interface AppChange {
  /** A UUID or the beginning of one, or the pod's name. */
  readonly uuid: string;
  readonly app: string;
}

/** Starts an app of a mutable pod, and is done when its program runs; nothing happens where it does already. Throws Stage0Error. */
export async function startApp(host: Host, { uuid, app }: AppChange, signal?: AbortSignal): Promise<void> {
  using mutation = await mutateRunning(lookUpPod(podsDirectory(host.dataDirectory), uuid), signal);
  if (!mutation.has(app)) throw noApp(app);
  await callForApp(host, mutation, 'start', app);
}

/**
 * Ends an app of a mutable pod: SIGTERM, after a grace SIGKILL, and waits for that. Nothing happens where it does not run. Others
 * may change the pod meanwhile: a grace is long. Throws Stage0Error.
 */
export async function stopApp(host: Host, { uuid, app }: AppChange): Promise<void> {
  const pod: PodReference = { ...lookUpPod(podsDirectory(host.dataDirectory), uuid), phase: 'run' };
  checkMutable(pod);
  checkReady(pod);
  if (!isNamed(pod, app)) throw noApp(app);
  await callForApp(host, { pod }, 'stop', app);
}

/** Ends an app, and removes it and all it has left, also from a pod that has ended. Throws Stage0Error. */
export async function removeApp(host: Host, { uuid, app }: AppChange, signal?: AbortSignal): Promise<void> {
  const pod: PodReference = { ...lookUpPod(podsDirectory(host.dataDirectory), uuid), phase: 'run' };
  checkMutable(pod);
  // It becomes a path, of what may have been left of it.
  if (!isACName(app)) throw noApp(app);
  // Its grace first, without keeping others away.
  if (currentState(pod) === 'running' && isNamed(pod, app)) await stopApp(host, { uuid, app });
  using mutation = await mutateAny(pod, signal);
  if (!mutation.has(app) && !hasLeftovers(mutation, app)) throw noApp(app);
  if (mutation.isRunning) {
    // It may have been started again.
    await callForApp(host, mutation, 'stop', app);
    withdrawCopy(mutation, app);
    await callForApp(host, mutation, 'rm', app);
  }
  const { manifest } = mutation;
  const without = { ...manifest, apps: manifest.apps.filter(({ name }) => name !== app) };
  if (mutation.isRunning) await tellRemoval({ uuid: pod.uuid, path: mutation.path }, without);
  mutation.manifest = without;
  clearApp(mutation, { app, isReleased: mutation.isRunning });
}

function isNamed(pod: PodReference, app: string): boolean {
  return readPod(pod)?.apps.some(({ name }) => name === app) ?? false;
}

function noApp(app: string): Stage0Error {
  return new Stage0Error('bad-request', `no app ${JSON.stringify(app)} in the pod`);
}
