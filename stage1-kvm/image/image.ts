import { STAGE2 } from '../../src/abi/pod-directory.ts';
import { ENTRYPOINTS, type Entrypoint } from '../../src/abi/stage1.ts';
import { directory, type Entry, file, symlink } from './entry.ts';
import { moduleOrder } from './initramfs.ts';
import { stage1Manifest } from './manifest.ts';
import type { KernelModule } from './modules.ts';
import { writeTar } from './tar.ts';

/** What a stage1 image is made of. */
export type Stage1Parts = {
  readonly version: string;
  /** The multi-call program of the entrypoints. */
  readonly program: Uint8Array;
  readonly vmlinux: Uint8Array;
  readonly initramfs: Uint8Array;
  readonly modules: readonly KernelModule[];
  /** Whose work the programs and the kernel are, under which licences: it goes wherever they go. */
  readonly notice: Uint8Array;
};

/** `vm/modules` repeats the initramfs's list of modules for the host's half, which decides on loading them. */
export function stage1Entries(parts: Stage1Parts): Entry[] {
  return [
    file('manifest', Buffer.from(stage1Manifest(parts.version))),
    directory('rootfs'),
    file('rootfs/NOTICE', parts.notice),
    file('rootfs/stage1-kvm', parts.program, 0o755),
    directory('rootfs/app'),
    ...ENTRYPOINTS.map((entrypoint) => symlink(`rootfs/${entrypoint}`, programFrom(entrypoint))),
    ...directories(`rootfs/${STAGE2}`),
    directory('rootfs/vm'),
    file('rootfs/vm/initramfs', parts.initramfs),
    file('rootfs/vm/modules', moduleOrder(parts.modules)),
    file('rootfs/vm/vmlinux', parts.vmlinux),
  ];
}

/** The program's path from an entrypoint's directory. */
function programFrom(entrypoint: Entrypoint): string {
  return `${'../'.repeat(entrypoint.split('/').length - 1)}stage1-kvm`;
}

/** The image as a plain tar: unpacking a compressed one would cost its reader more than the disk space saved. */
export function writeStage1Image(parts: Stage1Parts): Uint8Array {
  return writeTar(stage1Entries(parts));
}

/** Every directory on the way to a path below the root file system, outermost first. */
function directories(path: string): Entry[] {
  const names = path.split('/');
  return names.slice(1).map((_, index) => directory(names.slice(0, index + 2).join('/')));
}
