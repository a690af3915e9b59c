/** Volumes of an app: taken where PID 1 has them, before the app's root is entered, and attached inside it. */
import type { MountPlanEntry, SharePlan, VolumeSourcePlan } from '../src/abi/boot-plan.ts';
import { visitEntries } from '../src/native/directories.ts';
import { close, File, open_, openInRoot } from '../src/native/files.ts';
import { restrictOpenMount } from '../src/native/mount-attributes.ts';
import { attachMountAt } from '../src/native/mounts.ts';
import { openOrMakeInRoot } from '../src/native/place-in-root.ts';
import { fstat } from '../src/native/stat.ts';
import { duplicateTree } from '../src/native/tree-duplicate.ts';
import { cloneSome } from '../src/native/volume-part.ts';
import { rootDirectory } from './root-directory.ts';

export type VolumeEntry = Extract<MountPlanEntry, { kind: 'volume' }>;

const READ = open_.readOnly | open_.directory;

/** In PID 1's root. Each is a detached mount, with all that is mounted below. */
export function openVolumes(
  entries: readonly MountPlanEntry[],
  shares: readonly SharePlan[],
): [MountPlanEntry, number][] {
  return entries.flatMap((entry) =>
    entry.kind === 'volume' ? [[entry, openVolume(entry, shares)] as [MountPlanEntry, number]] : [],
  );
}

function openVolume({ source, subPath, readOnly }: VolumeEntry, shares: readonly SharePlan[]): number {
  const mount = cloneSome(pathOf(source, shares), subPath);
  restrictOpenMount(mount, 'recursive', 'no-suid', ...(readOnly ? ['read-only' as const] : []));
  return mount;
}

function pathOf(source: VolumeSourcePlan, shares: readonly SharePlan[]): string {
  return rootDirectory(source, shares);
}

/** In the app's root: no link of the image leads out of it, those of procfs that do are not followed. */
export function attachVolume({ target, seed }: VolumeEntry, mount: number): void {
  using root = File.open('/', open_.path | open_.directory);
  const isDirectory = fstat(mount).kind === 'directory';
  using place = openOrMakeInRoot(root.fd, target, isDirectory ? 'directory' : 'file');
  attachMountAt(mount, place.fd);
  close(mount);
  if (seed) seedVolume(place.fd, openInRoot(root.fd, target, READ));
}

/** `place` is what the volume hides. */
function seedVolume(place: number, volume: number): void {
  using target = new File(volume);
  let isEmpty = true;
  visitEntries(target.fd, () => {
    isEmpty = false;
  });
  if (!isEmpty) return;
  using source = File.open('.', READ, 0, place);
  duplicateTree(source.fd, target.fd);
}
