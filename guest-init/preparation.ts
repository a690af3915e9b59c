/** What is done once for the pod, before any app. */

import { decodeBase64 } from '../src/abi/base64.ts';
import type { BootPlan, MachinePlan, SharePlan } from '../src/abi/boot-plan.ts';
import { monotonicMilliseconds, setRealtime, sleep, type Timespec } from '../src/native/clock.ts';
import { unless } from '../src/native/errors.ts';
import { mount, ms } from '../src/native/mounts.ts';
import { mkdirAll } from '../src/native/paths.ts';
import { addEntropy, setHostname } from '../src/native/system.ts';
import { mountMemory } from './devices.ts';
import { during, InitError } from './error.ts';
import { bringUpLoopback } from './interfaces.ts';
import { setKernelSettings } from './kernel-settings.ts';
import { makeVolumes } from './made-volumes.ts';
import { configureNetwork } from './network.ts';
import type { PodSurroundings } from './pod-surroundings.ts';
import { makeBlockRoots, mountRootDisk } from './root-disks.ts';
import { loadKernelModule } from './saved-machine.ts';
import { isSealed, watchSealed } from './sealed-disks.ts';

/** What needs no plan. */
export function prepareAnyPod(): void {
  during('interfaces', bringUpLoopback);
  during('root', mountMemory);
}

export function preparePod(plan: BootPlan, { loop, host }: Pick<PodSurroundings, 'loop' | 'host'>): void {
  const warn = (message: string) => host.send({ type: 'warning', message });
  if (plan.machine !== null) {
    const { disks } = plan.machine;
    const tell = disks.some(isSealed) ? during('disks', () => watchSealed(loop, warn)) : undefined;
    try {
      prepareMachine(plan.machine);
    } finally {
      // Why a disk could not be mounted.
      tell?.();
    }
  }
  during('root', () => makeBlockRoots(plan.apps));
  during('volumes', () => makeVolumes(plan.volumes));
  during('hostname', () => setHostname(plan.hostname));
  const warnings = during('interfaces', () => configureNetwork(plan.network));
  for (const warning of [...warnings, ...during('sysctls', () => setKernelSettings(plan))]) warn(warning);
}

/** Of a machine that has stood still. In namespaces it would be the host's clock. */
export function setClock(plan: BootPlan | undefined, time: Timespec): void {
  if (plan?.machine != null) setRealtime(time);
}

/** The order is what the steps need of each other. */
function prepareMachine(plan: MachinePlan): void {
  // Before anything else draws random numbers: machines restored from one saved state would draw the same.
  during('entropy', () => addEntropy(decodeBase64(plan.entropy)));
  during('clock', () => setRealtime(plan.clock));
  during('modules', () => {
    for (const name of plan.modules) loadKernelModule(name);
  });
  during('shares', () => {
    for (const share of plan.shares) mountShare(share);
  });
  during('disks', () => plan.disks.forEach(mountRootDisk));
}

const PLUG_PATIENCE_MS = 5000;

function mountShare({ tag, target }: SharePlan): void {
  mkdirAll(target, 0o755);
  const deadline = monotonicMilliseconds() + PLUG_PATIENCE_MS;
  // What has just been plugged in may still be on its way to its driver.
  while (!mounted(tag, target)) {
    if (monotonicMilliseconds() > deadline) throw new InitError('shares', `the machine has no share ${tag}`);
    sleep(1);
  }
}

function mounted(tag: string, target: string): boolean {
  return (
    unless(['EINVAL'], () => {
      mount({ source: tag, target, type: 'virtiofs', flags: ms.noDev });
      return true;
    }) ?? false
  );
}
