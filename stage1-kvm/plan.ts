/** What of a boot plan only a pod in a machine has. */
import { realtime } from '../src/native/clock.ts';
import { randomBytes } from '../src/native/system.ts';
import { encodeBase64 } from '../src/supervisor/plan/base64.ts';
import type { Housing } from '../src/supervisor/plan/plan.ts';
import { diskModules } from './disks.ts';
import { networkModules } from './interfaces.ts';
import { SHARE_TAG } from './vmm.ts';

/** Where PID 1 mounts the share. */
const SHARE_TARGET = '/pod';
const ENTROPY_BYTES = 64;

export const MACHINE_HOUSING: Housing = {
  ownKernel: true,
  root: (app) => ({ kind: 'virtiofs', tag: SHARE_TAG, path: `${app}/rootfs` }),
  shared: (path) => ({ kind: 'virtiofs', tag: SHARE_TAG, path }),
  machine: (network, volumes) => ({
    modules: [...networkModules(network), ...diskModules(volumes)],
    clock: realtime(),
    entropy: encodeBase64(randomBytes(ENTROPY_BYTES)),
    shares: [{ tag: SHARE_TAG, target: SHARE_TARGET }],
  }),
};
