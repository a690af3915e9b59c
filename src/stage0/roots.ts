import { dirname, join } from 'node:path';
import type { MountPlan } from '../abi/mount-plan.ts';
import { appRootfs, POD, STAGE2 } from '../abi/pod-directory.ts';
import { copyLayers } from '../image/index.ts';
import type { ImageRecord, Store } from '../store/index.ts';
import type { Host } from './host.ts';
import { appOverlay, copiedPlan, type OverlayRoot, overlayPlan, stage1Overlay } from './mount-plan.ts';
import { makeClosedDirectory, makeOverlayDirectories } from './pod-files.ts';
import type { PodApp } from './pod-request.ts';

/** How a pod gets its root file systems: over the store's layers, or as copies of them (`--no-overlay`). */
export type RootKind = 'overlay' | 'copy';

interface PodImages {
  readonly stage1: ImageRecord;
  readonly apps: readonly PodApp[];
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
      return copiedPlan(keep);
    default:
      return kind satisfies never;
  }
}

function makeOverlays(keep: readonly string[], store: Store, pod: string, images: PodImages): MountPlan {
  const layersOf = (image: ImageRecord) => image.layers.map((layer) => store.layerName(layer));
  const make = (root: OverlayRoot, image: ImageRecord) => {
    const top = image.layers.at(-1);
    makeOverlayDirectories(pod, root, top === undefined ? undefined : store.layerPath(top));
    return root;
  };
  const stage1 = make(stage1Overlay(layersOf(images.stage1)), images.stage1);
  const apps = images.apps.map(({ app, image }) =>
    make(appOverlay(app.name, image.id, layersOf(image)), image),
  );
  return overlayPlan(keep, store.layerDirectory, stage1, apps);
}

async function copyRoots(store: Store, pod: string, { stage1, apps }: PodImages): Promise<void> {
  const copy = (image: ImageRecord, target: string) =>
    copyLayers(
      image.layers.map((layer) => store.layerPath(layer)),
      join(pod, target),
    );
  // The apps' roots are in the stage1's.
  await copy(stage1, POD.stage1Rootfs);
  makeClosedDirectory(join(pod, POD.stage1Rootfs, dirname(STAGE2)));
  for (const { app, image } of apps) await copy(image, appRootfs(app.name));
}
