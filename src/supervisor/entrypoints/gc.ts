/**
 * The entrypoint `gc`, run while the caller holds the lock of a pod that has ended: undoes what outlives a supervisor.
 * Processes, mounts and namespaces do not, and a pod's id is free once its directory is gone. Of the networks of a pod that has ended
 * in order nothing is left.
 */
import { EXIT } from '../../abi/exit-code.ts';
import { parseGcArguments } from '../../abi/stage1.ts';
import { removeRecordedCgroups } from '../cgroup.ts';
import { collectNetworks } from '../network/collection.ts';
import { liftBounds } from '../volumes/bounded-directory.ts';

export function gc(args: readonly string[]): number {
  const { uuid } = parseGcArguments(args);
  removeRecordedCgroups();
  liftBounds();
  collectNetworks(uuid);
  return EXIT.ok;
}
