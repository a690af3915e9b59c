/** A part of a volume, which is taken when the volume is as the app may have it: what cannot be written to gets no new directories. */
import { File } from '../src/native/files.ts';
import { setPropagation } from '../src/native/mount-attributes.ts';
import { attachMount, unmount } from '../src/native/mounts.ts';
import { mkdirAll } from '../src/native/paths.ts';
import { clonePart } from '../src/native/volume-part.ts';

/** In the pod's mount namespace, any directory: what is mounted there is taken away again. */
export const PLACE = 'stage1/rootfs/volumes';

/** Takes a detached mount, and gives one. Before Linux 6.15 only what is mounted somewhere can be cloned. */
export function takePart(volume: number, path: string): number {
  using whole = new File(volume);
  mkdirAll(PLACE, 0o700);
  attachMount(whole.fd, PLACE);
  try {
    return clonePart(whole.fd, path);
  } finally {
    // First, or what is mounted below the host's own would be unmounted with it.
    setPropagation(whole.fd, 'recursive', 'private');
    unmount(PLACE, 'detach');
  }
}
