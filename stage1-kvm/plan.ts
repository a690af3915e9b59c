/** What of a boot plan only a pod in a machine has. */
import type { PodRootsPlan } from '../src/abi/root-disks.ts';
import { realtime } from '../src/native/clock.ts';
import { randomBytes } from '../src/native/system.ts';
import { encodeBase64 } from '../src/supervisor/plan/base64.ts';
import type { Housing } from '../src/supervisor/plan/plan.ts';
import { isMade } from '../src/supervisor/volumes/made-volumes.ts';
import { readVolumePlan } from '../src/supervisor/volumes/record.ts';
import type { Accelerator } from './accelerator.ts';
import { diskModules } from './disks.ts';
import { machineModules } from './guest-modules.ts';
import { networkModules } from './interfaces.ts';
import { blockRoot, rootDiskPlans } from './root-disks.ts';
import { SHARE_TAG } from './vmm.ts';

/** Where PID 1 mounts the share. */
const SHARE_TARGET = '/pod';
const ENTROPY_BYTES = 64;

/** How the machine's files come to it. */
export interface MachineFiles {
  readonly roots: PodRootsPlan;
  readonly hasShare: boolean;
}

export function machineHousing({ roots, hasShare }: MachineFiles, accelerator: () => Accelerator): Housing {
  return {
    ownKernel: true,
    root: (app) =>
      roots.kind === 'block'
        ? blockRoot(roots, app)
        : { kind: 'virtiofs', tag: SHARE_TAG, path: `${app}/rootfs` },
    shared: (path) => ({ kind: 'virtiofs', tag: SHARE_TAG, path }),
    machine: (network, volumes) => {
      const disks = roots.kind === 'block' ? rootDiskPlans(roots, accelerator) : [];
      return {
        modules: [...networkModules(network), ...diskModules(volumes, disks), ...machineModules()],
        clock: realtime(),
        entropy: encodeBase64(randomBytes(ENTROPY_BYTES)),
        shares: hasShare ? [{ tag: SHARE_TAG, target: SHARE_TARGET }] : [],
        disks,
      };
    },
  };
}

/** Where all roots are disks, only volumes of the host's need a share; apps that come later do in any case. */
export function machineFiles(roots: PodRootsPlan): MachineFiles {
  const hasShare =
    roots.kind === 'virtiofs' || readVolumePlan().volumes.some((volume) => !isMade(volume, true));
  return { roots, hasShare };
}
