import type { IdRange } from '../abi/id-range.ts';
import { MOUNT_PLAN_VERSION, type MountPlan, type MountStep } from '../abi/mount-plan.ts';
import { appRootfs, POD } from '../abi/pod-directory.ts';

/** An overlay to be: layers named relative to one directory, the lowest first. */
export interface OverlayRoot {
  readonly target: string;
  readonly layers: readonly string[];
  readonly upper: string;
  readonly work: string;
  readonly volatile?: true;
}

/** Where the stage1's changes go. No image id is called so. */
const STAGE1_OVERLAY = `${POD.overlay}/stage1`;

/** It is mounted once, and what it reports is not in it (`hostVisible`); whereas of an app somebody may want all that it had brought to the disk. */
export function stage1Overlay(layers: readonly string[]): OverlayRoot {
  const at = (name: string) => `${STAGE1_OVERLAY}/${name}`;
  return { target: POD.stage1Rootfs, layers, upper: at('upper'), work: at('work'), volatile: true };
}

/** `overlay/IMAGE-ID/upper/APP`, as in rkt: two apps of one image have each their own. */
export function appOverlay(app: string, imageId: string, layers: readonly string[]): OverlayRoot {
  const at = (name: string) => `${POD.overlay}/${imageId}/${name}/${app}`;
  return { target: appRootfs(app), layers, upper: at('upper'), work: at('work') };
}

/** A pod whose roots are overlays of the store's layers. */
export function overlayPlan(
  keep: readonly string[],
  stage1: MountStep,
  apps: readonly MountStep[],
): MountPlan {
  return { version: MOUNT_PLAN_VERSION, keep, mounts: [stage1, hostVisible, ...apps] };
}

/** A pod whose roots are directories of its own: what is to be mounted lies over them. */
export function copiedPlan(keep: readonly string[], mounts: readonly MountStep[] = []): MountPlan {
  return { version: MOUNT_PLAN_VERSION, keep, mounts };
}

/** The copy of an app's image, as the pod's users see it. */
export function copiedStep(app: string, ids: IdRange): MountStep {
  const path = appRootfs(app);
  return { kind: 'bind', source: path, target: path, readOnly: false, ids };
}

export function withIds(step: MountStep, ids: IdRange | undefined): MountStep {
  return ids === undefined ? step : { ...step, ids };
}

// What the stage1 reports is read by `rkt` outside of the pod's mount namespace, while it runs and after.
const hostVisible: MountStep = {
  kind: 'bind',
  source: `${POD.stage1Rootfs}/rkt`,
  target: `${POD.stage1Rootfs}/rkt`,
  readOnly: false,
};

/** `lowerBase` is the directory of the layers. */
export function overlayStep({ target, layers, ...rest }: OverlayRoot, lowerBase: string): MountStep {
  // An image without layers is an empty directory: overlayfs wants at least one.
  if (layers.length === 0) return { kind: 'bind', source: rest.upper, target, readOnly: false };
  return { kind: 'overlay', target, lowerBase, lower: layers.toReversed(), ...rest };
}
