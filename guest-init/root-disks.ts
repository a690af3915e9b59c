/** Roots of apps on disks of the machine: images to read, and one disk that all apps write to. */
import type { AppPlan, RootDiskPlan, RootPlan } from '../src/abi/boot-plan.ts';
import { unless } from '../src/native/errors.ts';
import { mount, ms, unmount } from '../src/native/mounts.ts';
import { chmod, chown, mkdirAll, rmdir } from '../src/native/paths.ts';
import { exists, stat } from '../src/native/stat.ts';
import { removeTree } from '../src/native/tree-removal.ts';
import { diskOf } from './disks.ts';
import { checkedDisk, isSealed } from './sealed-disks.ts';

type BlockRoot = Extract<RootPlan, { kind: 'block' }>;

/** In PID 1's root, where no app sees them. */
const DISKS = '/disks';
const ROOTS = '/roots';

/** Zeroing what mkfs has left unwritten would make the disk's file grow, for nobody. */
const SCRATCH_OPTIONS = 'noinit_itable';

export function mountRootDisk(disk: RootDiskPlan): void {
  const { serial } = disk;
  const target = diskPlace(serial);
  // The machine was saved with it.
  if (scratchPlaces.has(target)) return;
  mkdirAll(target, 0o700);
  const device = diskOf(serial);
  const source = isSealed(disk) ? checkedDisk(serial, device, disk.seal) : device;
  if (disk.kind === 'image') mount({ source, target, type: 'erofs', flags: ms.readOnly | ms.noDev });
  else {
    mount({ source, target, type: 'ext4', flags: ms.noDev | ms.noAtime, data: SCRATCH_OPTIONS });
    scratchPlaces.add(target);
  }
}

/** Before the machine goes: what is on it is whole then, whoever reads it. */
export function settleScratch(): void {
  // Apps that have ended may still have files open.
  for (const target of scratchPlaces)
    unless(['EBUSY', 'EINVAL', 'EROFS', 'EIO'], () => mount({ target, flags: ms.remount | ms.readOnly }));
}

/** The machine goes on after all. */
export function reopenScratch(): void {
  for (const target of scratchPlaces)
    mount({ target, flags: ms.remount | ms.noDev | ms.noAtime, data: SCRATCH_OPTIONS });
}

const scratchPlaces = new Set<string>();

/** Once for the pod, so that an app that is started again finds its root as it has left it. */
export function makeBlockRoots(apps: readonly Pick<AppPlan, 'root'>[]): void {
  for (const { root } of apps) if (root.kind === 'block') makeRoot(root);
}

function makeRoot(root: BlockRoot): void {
  const changes = changesOf(root);
  const lower = root.layers.map(diskPlace);
  const isNew = !exists(changes);
  for (const directory of [changes, workOf(root), blockRootPath(root)]) mkdirAll(directory, 0o755);
  if (isNew) dress(changes, lower[0]);
  const target = blockRootPath(root);
  // An image without layers is an empty directory: overlayfs wants at least one.
  if (lower.length === 0) mount({ source: changes, target, flags: ms.bind });
  else
    mount({
      ...{ source: 'overlay', target, type: 'overlay', flags: ms.noDev },
      // What is changed can be read without the layers below.
      data: `redirect_dir=off,lowerdir=${lower.join(':')},upperdir=${changes},workdir=${workOf(root)}`,
    });
}

/** As if no app had been there. */
export function removeBlockRoots(
  apps: readonly Pick<AppPlan, 'root'>[],
  disks: readonly RootDiskPlan[],
): void {
  for (const { root } of apps) {
    if (root.kind !== 'block') continue;
    unmount(blockRootPath(root));
    rmdir(blockRootPath(root));
    const changes = changesOf(root);
    removeTree(changes.slice(0, changes.lastIndexOf('/')));
  }
  for (const { serial, kind } of disks) {
    if (kind !== 'image') continue;
    unmount(diskPlace(serial));
    rmdir(diskPlace(serial));
  }
}

/** The top of an overlay looks like that of its upper directory. */
function dress(changes: string, top: string | undefined): void {
  const { permissions, uid, gid } = top === undefined ? { permissions: 0o755, uid: 0, gid: 0 } : stat(top);
  chown(changes, uid, gid);
  chmod(changes, permissions);
}

export function blockRootPath({ app }: Pick<BlockRoot, 'app'>): string {
  return `${ROOTS}/${app}`;
}

/** What an app has changed, as overlayfs keeps it. */
export function changesOf({ scratch, app }: Pick<BlockRoot, 'scratch' | 'app'>): string {
  return `${diskPlace(scratch)}/${app}/upper`;
}

function workOf({ scratch, app }: BlockRoot): string {
  return `${diskPlace(scratch)}/${app}/work`;
}

function diskPlace(serial: string): string {
  return `${DISKS}/${serial}`;
}
