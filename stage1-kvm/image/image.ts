import { directory, type Entry, file } from '../../tools/stage1/entry.ts';
import { moduleOrder } from './initramfs.ts';
import type { KernelModule } from './modules.ts';

/** What a machine boots. */
export type MachineParts = {
  readonly vmlinux: Uint8Array;
  readonly initramfs: Uint8Array;
  readonly modules: readonly KernelModule[];
};

/** `vm/modules` repeats the initramfs's list of modules for the host's half, which decides on loading them. */
export function machineEntries(parts: MachineParts): Entry[] {
  return [
    directory('rootfs/vm'),
    file('rootfs/vm/initramfs', parts.initramfs),
    file('rootfs/vm/modules', moduleOrder(parts.modules)),
    file('rootfs/vm/vmlinux', parts.vmlinux),
  ];
}
