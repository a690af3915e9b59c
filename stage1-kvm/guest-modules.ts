/** The drivers that a guest has to load; a kernel that has them built in has no such files. */
import { readTextIfPresent } from '../src/native/contents.ts';
import { KERNEL_DIRECTORY } from './vmm.ts';

/** For every machine: what gives memory back. */
const DRIVERS = ['virtio_balloon'];

/** Of these, in the order to load them in. */
export function presentModules(wanted: readonly string[]): string[] {
  const present = (readTextIfPresent(`${KERNEL_DIRECTORY}/modules`) ?? '').split('\n');
  return present.filter((name) => wanted.includes(name));
}

export function machineModules(): string[] {
  return presentModules(DRIVERS);
}
