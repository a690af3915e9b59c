/** The files of one app in a mutable pod's directory, as it comes and as it goes. */
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { MountStep } from '../abi/mount-plan.ts';
import { appLogs, appRootfs, appState, appStatus, POD, STAGE2 } from '../abi/pod-directory.ts';
import { type Descriptor, openDirectory, tryOpenBeneath } from '../os/descriptor.ts';
import { tryRename } from '../os/directory-entries.ts';
import { check, isSystemError } from '../os/syscall.ts';
import { removeAny, removeTree } from '../os/tree.ts';
import type { Store } from '../store/index.ts';
import { type ClearedApp, clearVolumes } from './app-volumes.ts';
import type { Mutation } from './mutation.ts';
import { makeClosedDirectory, replaceMountPlan, writeAppInfo } from './pod-files.ts';
import type { PodApp } from './pod-request.ts';
import { rangeOf } from './private-users.ts';
import { copyImage, makeAppOverlay } from './roots.ts';

const ROOTFS = 'rootfs';
/** Of the pod's directory: the guest can put anything there, by any name. */
const SHARE = `${POD.stage1Rootfs}/${STAGE2}`;

/**
 * Writes all that a new app is made of, but for its place in the manifest. The mount plan comes last, since from then on it keeps
 * the image's layers in the store. What is there of an app of that name goes first.
 */
export async function placeApp(mutation: Mutation, store: Store, app: PodApp): Promise<void> {
  const { name } = app.app;
  const pod = mutation.path;
  clearApp(mutation, { app: name, isReleased: true });
  writeAppInfo(pod, app);
  if (hasOverlays(mutation)) {
    const step = makeAppOverlay(store, pod, app, rangeOf(mutation.pod));
    const plan = mutation.mountPlan;
    replaceMountPlan(pod, { ...plan, mounts: [...plan.mounts, step] });
    return;
  }
  // Made where no guest writes, and brought to where one does in a single step.
  makeClosedDirectory(join(pod, POD.staging));
  await copyImage(store, app.image, join(pod, POD.staging, name, ROOTFS));
  using staging = openDirectory(join(pod, POD.staging));
  using share = openDirectory(join(pod, SHARE));
  check(tryRename(staging, name, share, name), 'renameat2', appRootfs(name));
}

/** Whether something is left of an app that the manifest does not name: a command was cut short. */
export function hasLeftovers(mutation: Mutation, app: string): boolean {
  return existsSync(join(mutation.path, POD.appsinfo, app));
}

/** Of a pod that runs without overlays: takes an app's files out of the share, all but the directory that they were in. */
export function withdrawCopy(mutation: Mutation, app: string): void {
  if (hasOverlays(mutation)) return;
  const pod = mutation.path;
  makeClosedDirectory(join(pod, POD.staging));
  removeAny(join(pod, POD.staging, app));
  using staging = openDirectory(join(pod, POD.staging));
  using share = openDirectory(join(pod, SHARE));
  const opened = tryOpenBeneath(share, app);
  if (typeof opened === 'number') return;
  using directory = opened;
  tryRename(directory, ROOTFS, staging, app);
}

/** Removes all that there is of an app that the manifest does not name, and whose root is mounted nowhere. */
export function clearApp(mutation: Mutation, cleared: ClearedApp): void {
  const { app } = cleared;
  const pod = mutation.path;
  const isRoot = ({ target }: MountStep) => target === appRootfs(app);
  const plan = mutation.mountPlan;
  const [gone, left] = [plan.mounts.filter(isRoot), plan.mounts.filter((step) => !isRoot(step))];
  for (const step of gone) for (const path of directoriesOf(step)) removeBelow(pod, path);
  // A new app must not find old directories: as long as there are some, the plan has them.
  if (gone.length > 0) replaceMountPlan(pod, { ...plan, mounts: left });
  if (!hasOverlays(mutation)) removeBelow(pod, `${SHARE}/${app}`);
  clearVolumes(mutation, cleared, (path) => removeBelow(pod, path));
  for (const path of [`${POD.staging}/${app}`, appStatus(app), appState(app), appLogs(app)])
    removeBelow(pod, path);
  // By this one is known that there is something.
  removeBelow(pod, `${POD.appsinfo}/${app}`);
}

function directoriesOf(step: MountStep): readonly string[] {
  return step.kind === 'overlay' ? [step.upper, step.work] : [step.source];
}

/** The stage1's own root is one where the apps' are. */
function hasOverlays(mutation: Mutation): boolean {
  return mutation.mountPlan.mounts.length > 0;
}

function removeBelow(pod: string, path: string): void {
  const parent = openIfPresent(join(pod, dirname(path)));
  if (parent === undefined) return;
  using directory = parent;
  removeTree(directory, basename(path));
}

function openIfPresent(path: string): Descriptor | undefined {
  try {
    return openDirectory(path);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}
