/** Disks of an image's layers, made before a machine needs them. */
import { type DiskOptions, diskImageMaker, ensureDiskImage } from '../image/index.ts';
import { type ImageRecord, layerName, type Store } from '../store/index.ts';
import type { Host } from './host.ts';
import { planImages } from './root-disks-plan.ts';

/**
 * Where machines have roots on disks unless they are told another, the disks that a pod of this image alone has. An image that nobody runs (a
 * stage1, a dependency) needs none. Without them pods share their roots, and so it is no failure when they cannot be made.
 */
export async function makeDisks(
  host: Host,
  store: Store,
  { id, manifest, layers }: ImageRecord,
  options: DiskOptions,
): Promise<void> {
  if (host.configuration.machine.rootfs !== 'block' || manifest.app === undefined || layers.length === 0)
    return;
  const program = diskImageMaker();
  const plan = planImages([{ name: id, layers: layers.map(layerName) }]);
  if (program === undefined || plan === undefined) return;
  try {
    for (const image of plan.images) await ensureDiskImage(store, image, program, options);
  } catch (error) {
    options.signal?.throwIfAborted();
    options.report?.({
      kind: 'disk-refused',
      reason: error instanceof Error ? error.message : String(error),
    });
  }
}
