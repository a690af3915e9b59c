/** PID 1 of a machine that is saved before it has a plan, and restored as the start of a pod, any number of times. */
import { decodeBase64 } from '../src/abi/base64.ts';
import type { RehearseOrder, WakeOrder } from '../src/abi/saved-machine.ts';
import { setRealtime, sleep } from '../src/native/clock.ts';
import { writeControl } from '../src/native/contents.ts';
import { keepDeviceFilter } from '../src/native/device-filter.ts';
import { unless } from '../src/native/errors.ts';
import { addEntropy, loadModule, syncAll } from '../src/native/system.ts';
import type { AppGroups } from './app-groups.ts';
import { forgetDisks } from './disks.ts';
import { during } from './error.ts';
import { mountRootDisk } from './root-disks.ts';

const SETTLING_MS = 3000;

/** What is the same for all pods is done before the machine is saved. */
export function rehearse(
  { modules, devices, disks }: RehearseOrder,
  groups: Pick<AppGroups, 'holdDeviceFilter'>,
): void {
  during('modules', () => {
    for (const name of modules) loadKernelModule(name);
  });
  during('disks', () => disks.forEach(mountRootDisk));
  // What a kernel does in its first seconds, and of a file system that is new, each of its restored selves would do again.
  sleep(SETTLING_MS);
  syncAll();
  // What they are to the pod they are asked again.
  forgetDisks();
  // A kernel without control groups has none for devices, either.
  during('limits', () =>
    unless(['EINVAL', 'ENOSYS', 'EPERM'], () => {
      keepDeviceFilter(devices);
      groups.holdDeviceFilter(devices);
    }),
  );
}

/** From the initramfs. One that a machine was saved with is there already; one that is for processors with more instructions is for others. */
export function loadKernelModule(name: string): void {
  unless(['EEXIST', 'ENODEV'], () => loadModule(`/modules/${name}.ko`));
}

/** All that were restored from one machine would draw the same random numbers: nothing is done before they do not. */
export function awaken({ entropy, clock }: WakeOrder): void {
  during('entropy', () => addEntropy(decodeBase64(entropy)));
  during('clock', () => setRealtime(clock));
}

/** Those that the machine was not saved with: its kernel has not been told of them. Their drivers have them when this returns. */
export function findDevices(): void {
  during('modules', () => writeControl('/sys/bus/pci/rescan', '1'));
}
