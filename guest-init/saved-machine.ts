/** PID 1 of a machine that is saved before it has a plan, and restored as the start of a pod, any number of times. */
import { decodeBase64 } from '../src/abi/base64.ts';
import type { HostMessage } from '../src/abi/guest.ts';
import { setRealtime } from '../src/native/clock.ts';
import { writeControl } from '../src/native/contents.ts';
import { unless } from '../src/native/errors.ts';
import { addEntropy, loadModule } from '../src/native/system.ts';
import { during } from './error.ts';

type WakeOrder = Extract<HostMessage, { readonly type: 'wake' }>;

/** What is the same for all pods is done before the machine is saved. */
export function rehearse(modules: readonly string[]): void {
  during('modules', () => {
    for (const name of modules) loadKernelModule(name);
  });
}

/** From the initramfs. One that a machine was saved with is there already. */
export function loadKernelModule(name: string): void {
  unless(['EEXIST'], () => loadModule(`/modules/${name}.ko`));
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
