import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fchmodSync,
  mkdirSync,
  openSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { MountPlan } from '../abi/mount-plan.ts';
import { appImageId, appImageManifest, POD } from '../abi/pod-directory.ts';
import { formatImageManifest, formatPodManifest, type PodManifest } from '../appc/index.ts';
import { replaceFile } from '../os/durable.ts';
import type { ImageRecord } from '../store/index.ts';
import type { OverlayRoot } from './mount-plan.ts';
import type { PodApp } from './pod-request.ts';

const FILE_MODE = 0o640;
const DIRECTORY_MODE = 0o750;
const CLOSED_MODE = 0o700;

/** What a pod's directory is made of. */
export interface PodFiles {
  readonly manifest: PodManifest;
  readonly apps: readonly PodApp[];
  readonly stage1: ImageRecord;
  readonly mountPlan: MountPlan;
}

/** Says which stage1 cleans up behind the pod: before the stage1 makes anything. */
export function writeStage1(pod: string, stage1: ImageRecord): void {
  write(pod, POD.stage1Image, `${stage1.id}\n`);
  write(pod, POD.stage1Manifest, formatImageManifest(stage1.manifest));
}

/** The manifest comes last: who finds it finds all it names. */
export function writePodFiles(pod: string, files: PodFiles): void {
  for (const app of files.apps) writeAppInfo(pod, app);
  makeDirectory(join(pod, POD.status));
  write(pod, POD.exitCode, '');
  write(pod, POD.mountPlan, JSON.stringify(files.mountPlan));
  replaceManifest(pod, files.manifest);
}

/** What the pod keeps of an app's image. */
export function writeAppInfo(pod: string, { app, image }: PodApp): void {
  write(pod, appImageManifest(app.name), formatImageManifest(image.manifest));
  write(pod, appImageId(app.name), `${image.id}\n`);
}

export function replaceManifest(pod: string, manifest: PodManifest): void {
  replaceFile(join(pod, POD.manifest), formatPodManifest(manifest), FILE_MODE);
}

export function replaceMountPlan(pod: string, plan: MountPlan): void {
  replaceFile(join(pod, POD.mountPlan), JSON.stringify(plan), FILE_MODE);
}

/**
 * A directory that only root may pass. Below it lie files that a guest has made, set-user-id programs of root among them: they
 * must not be within reach of the group `rkt`, which may read the rest of a pod.
 */
export function makeClosedDirectory(path: string): void {
  makeDirectory(path);
  // By hand: one that was there may be open to others. A stage1's image may have a link in its place, to a directory of the host.
  const directory = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  fchmodSync(directory, CLOSED_MODE);
  closeSync(directory);
}

/** The upper and work directory of an overlay. `top` is the topmost layer: its root is what the app's will look like. */
export function makeOverlayDirectories(pod: string, root: OverlayRoot, top: string | undefined): void {
  makeClosedDirectory(join(pod, POD.overlay));
  makeDirectory(join(pod, root.work));
  const upper = join(pod, root.upper);
  makeDirectory(upper);
  const { mode, uid, gid } = top === undefined ? { mode: 0o755, uid: 0, gid: 0 } : statSync(top);
  chownSync(upper, uid, gid);
  chmodSync(upper, mode & 0o7777);
}

function write(pod: string, name: string, content: string): void {
  const path = join(pod, name);
  makeDirectory(dirname(path));
  writeFileSync(path, content, { mode: FILE_MODE });
}

function makeDirectory(path: string): void {
  mkdirSync(path, { recursive: true, mode: DIRECTORY_MODE });
}
