/** Attributes of mounts that are there already, by mount_setattr(2): what is not named stays as it is. */
import { Packer } from './bytes.ts';
import { AT_FDCWD } from './files.ts';
import { callAt } from './syscall.ts';

const AT_RECURSIVE = 0x8000;
const MOUNT_ATTR_RDONLY = 1;

/** Makes the mount at `target` read-only; `recursive`: all mounts below it too. */
export function setReadOnly(target: string, depth: 'alone' | 'recursive'): void {
  const attributes = new Packer(32).u64(MOUNT_ATTR_RDONLY).u64(0).u64(0).u64(0).finish();
  const flags = depth === 'recursive' ? AT_RECURSIVE : 0;
  callAt(target, 'mount_setattr', AT_FDCWD, target, flags, attributes, attributes.length);
}
