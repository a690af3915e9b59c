import { join } from 'node:path';
import { POD } from '../abi/pod-directory.ts';
import { openDirectory } from '../os/descriptor.ts';
import { syncDirectory } from '../os/durable.ts';
import { isSystemError } from '../os/syscall.ts';
import { listNames, removeTree } from '../os/tree.ts';
import type { Pod } from './pod.ts';

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
  removeBelow(join(pod.path, POD.stage1), 'rootfs');
  {
    using directory = openDirectory(pod.path);
    for (const name of listNames(directory)) if (!LAST.includes(name.toString())) removeTree(directory, name);
    for (const name of LAST) removeTree(directory, name);
  }
  removeBelow(join(pod.pods, pod.phase), pod.uuid);
  syncDirectory(join(pod.pods, pod.phase));
}

function removeBelow(path: string, name: string): void {
  try {
    using parent = openDirectory(path);
    removeTree(parent, name);
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error;
  }
}
