import {
  type ACIdentifier,
  type ImageID,
  type ImageManifest,
  type Label,
  labelValue,
} from '../appc/index.ts';
import { quote } from '../appc/json.ts';
import { ImageError } from './error.ts';

/**
 * Refuses an image that is not the one whose name and labels led to it (appc 0.8.11, discovery.md, "Validation"), in rkt's words. It may
 * have labels that nobody asked for. @throws ImageError wrong-image
 */
export function checkImageMatches(
  manifest: ImageManifest,
  name: ACIdentifier,
  labels: readonly Label[],
): void {
  if (manifest.name !== name)
    throw wrong(`error when reading the app name: ${quote(name)} expected but ${quote(manifest.name)} found`);
  for (const label of labels) {
    const value = labelValue(manifest.labels, label.name);
    const asked = quote(label.name);
    if (value === undefined) throw wrong(`requested label ${asked} not provided by the image manifest`);
    if (value !== label.value)
      throw wrong(
        `requested value for label ${asked}: ${quote(label.value)} differs from fetched aci label value: ${quote(value)}`,
      );
  }
}

/** The same for an id, as far as one is known and one is asked for. @throws ImageError wrong-image */
export function checkImageId(id: ImageID | undefined, wanted: ImageID | undefined): void {
  // rkt keeps half of a sha512, appc has all of it.
  if (id === undefined || wanted === undefined || wanted.startsWith(id)) return;
  throw wrong(`it has the image id ${id}, not ${wanted}`);
}

function wrong(problem: string): ImageError {
  return new ImageError('wrong-image', problem);
}
