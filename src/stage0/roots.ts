import { dirname, join } from 'node:path';
import type { IdRange } from '../abi/id-range.ts';
import type { MountPlan, MountStep } from '../abi/mount-plan.ts';
import { appRootfs, POD, STAGE2 } from '../abi/pod-directory.ts';
import { copyLayers } from '../image/index.ts';
import type { ImageRecord, Store } from '../store/index.ts';
import type { Host } from './host.ts';
import {
  appOverlay,
  copiedPlan,
  copiedStep,
  type OverlayRoot,
  overlayPlan,
  overlayStep,
  stage1Overlay,
  withIds,
} from './mount-plan.ts';
import { makeClosedDirectory, makeOverlayDirectories } from './pod-files.ts';
import type { PodApp } from './pod-request.ts';

/** How a pod gets its root file systems: over the store's layers, or as copies of them (`--no-overlay`). */
export type RootKind = 'overlay' | 'copy';

interface PodImages {
  readonly stage1: ImageRecord;
  readonly apps: readonly PodApp[];
  /** Those of the pod's users. */
  readonly ids?: IdRange | undefined;
}

/** Makes the directories that the roots need; what is to be mounted is in the plan. */
export async function makeRoots(
  host: Host,
  store: Store,
  pod: string,
  images: PodImages,
  kind: RootKind,
): Promise<MountPlan> {
  const keep = [host.dataDirectory, host.localConfig];
  switch (kind) {
    case 'overlay':
      return makeOverlays(keep, store, pod, images);
    case 'copy':
      await copyRoots(store, pod, images);
      return copiedPlan(keep, copiedSteps(images));
    default:
      return kind satisfies never;
  }
}

function makeOverlays(keep: readonly string[], store: Store, pod: string, images: PodImages): MountPlan {
  const layers = layersOf(store, images.stage1);
  const stage1 = makeOverlay(store, pod, stage1Overlay(layers), images.stage1);
  return overlayPlan(
    keep,
    stage1,
    images.apps.map((app) => makeAppOverlay(store, pod, app, images.ids)),
  );
}

/** Makes the directories of an app's overlay, which is yet to be mounted. */
export function makeAppOverlay(
  store: Store,
  pod: string,
  { app, image }: PodApp,
  ids: IdRange | undefined,
): MountStep {
  return withIds(makeOverlay(store, pod, appOverlay(app.name, image.id, layersOf(store, image)), image), ids);
}

function makeOverlay(store: Store, pod: string, root: OverlayRoot, image: ImageRecord): MountStep {
  const top = image.layers.at(-1);
  makeOverlayDirectories(pod, root, top === undefined ? undefined : store.layerPath(top));
  return overlayStep(root, store.layerDirectory);
}

function layersOf(store: Store, image: ImageRecord): readonly string[] {
  return image.layers.map((layer) => store.layerName(layer));
}

/** A copy is in its place already; what it lacks is the ids of the pod's users. */
function copiedSteps({ apps, ids }: PodImages): MountStep[] {
  return ids === undefined ? [] : apps.map(({ app }) => copiedStep(app.name, ids));
}

async function copyRoots(store: Store, pod: string, { stage1, apps }: PodImages): Promise<void> {
  const copy = (image: ImageRecord, target: string) => copyImage(store, image, join(pod, target));
  // The apps' roots are in the stage1's.
  await copy(stage1, POD.stage1Rootfs);
  makeClosedDirectory(join(pod, POD.stage1Rootfs, dirname(STAGE2)));
  for (const { app, image } of apps) await copy(image, appRootfs(app.name));
}

/** What an image looks like, as files of the pod's own in a directory that nobody else writes to. */
export function copyImage(store: Store, image: ImageRecord, target: string): Promise<void> {
  return copyLayers(
    image.layers.map((layer) => store.layerPath(layer)),
    target,
  );
}
