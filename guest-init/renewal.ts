/** What is left of a pod that a machine has gone through ahead of its own is undone. */
import type { BootPlan } from '../src/abi/boot-plan.ts';
import type { NetworkPlan } from '../src/abi/network-plan.ts';
import { syncAll } from '../src/native/system.ts';
import type { AppGroups } from './app-groups.ts';
import { removeCovers } from './covers.ts';
import { forgetDisks } from './disks.ts';
import { during } from './error.ts';
import { bareInterfaces } from './interfaces.ts';
import { removeBlockRoots, reopenScratch, settleScratch } from './root-disks.ts';

/** All of its processes have ended. */
export function forgetPod({ apps, machine, network }: BootPlan, groups: Pick<AppGroups, 'remove'>): void {
  for (const app of apps) {
    groups.remove(app.name);
    removeCovers(app);
  }
  during('root', () => removeBlockRoots(apps, machine?.disks ?? []));
  during('interfaces', () => leaveNetwork(network));
  // Others come in their places.
  forgetDisks();
  settleScratch();
  syncAll();
  during('disks', reopenScratch);
}

function leaveNetwork({ interfaces }: NetworkPlan): void {
  if (interfaces.length > 0) bareInterfaces(interfaces);
}
