import { join } from 'node:path';
import { POD } from '../abi/pod-directory.ts';
import { openDirectory } from '../os/descriptor.ts';
import { syncDirectory } from '../os/durable.ts';
import { isSystemError } from '../os/syscall.ts';
import { removeAllBut, removeTree } from '../os/tree.ts';
import type { Pod } from './pod.ts';
import type { Phase } from './state.ts';

/** Removed last and in this order: with them a removal that was cut short is taken up again, its stage1's part included. */
const LAST: readonly string[] = [
  POD.cgroups,
  POD.vmId,
  POD.privateUsers,
  POD.stage1,
  POD.stage1Image,
  POD.manifest,
];

/**
 * Removes the directory of a pod that is ours and in a garbage phase: the apps' roots first, the manifest last.
 * A mount inside is an error, not a way out. Throws SystemError.
 */
export function removePod(pod: Pod): void {
  removeUnsynced(pod);
  syncRemovals(pod.pods, pod.phase);
}

/** As `removePod`, for who removes many and calls `syncRemovals` in the end: until then a power cut may bring some of it back, to be removed again. */
export function removeUnsynced(pod: Pod): void {
  removeBelow(join(pod.path, POD.stage1), 'rootfs');
  {
    using directory = openDirectory(pod.path);
    removeAllBut(directory, (name) => LAST.includes(name));
    for (const name of LAST) removeTree(directory, name);
  }
  removeBelow(join(pod.pods, pod.phase), pod.uuid);
}

export function syncRemovals(pods: string, phase: Phase): void {
  syncDirectory(join(pods, phase));
}

function removeBelow(path: string, name: string): void {
  try {
    using parent = openDirectory(path);
    removeTree(parent, name);
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error;
  }
}
