import type { ImageManifest } from '../appc/image-manifest.ts';
import { labelValue } from '../appc/labels.ts';
import { hostPlatform } from '../os/host-platform.ts';
import { Stage0Error } from './errors.ts';

/** Refuses an image for another kind of machine, in rkt's words. Throws Stage0Error `bad-image`. */
export function checkPlatform(image: ImageManifest): void {
  for (const label of ['os', 'arch'] as const) {
    const value = labelValue(image.labels, label);
    if (value === undefined) throw bad(image, `missing ${label} label in the image manifest`);
    if (value !== hostPlatform[label])
      throw bad(image, `bad ${label} ${JSON.stringify(value)} (must be ${hostPlatform[label]})`);
  }
}

function bad(image: ImageManifest, problem: string): Stage0Error {
  return new Stage0Error('bad-image', `${problem} (image ${image.name})`);
}
