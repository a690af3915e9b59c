import type { Dependency, ImageManifest, Label } from '../appc/index.ts';
import type { ImageRecord, Store } from '../store/index.ts';
import { ImageError } from './error.ts';
import type { ImportOptions } from './options.ts';
import { heldImage } from './store-image.ts';

/** Images one below the other: deeper nesting is a trick, or a circle. */
const DEEPEST = 32;

/** Brings what an image depends on. @throws ImageError wrong-image */
export type DependencyResolver = (dependency: Dependency) => Promise<ImageRecord>;

/** Fetches an image that the store lacks; `above` are the names of those that depend on it, the outermost first. */
export type DependencyFetch = (dependency: Dependency, above: readonly string[]) => Promise<ImageRecord>;

/** Resolves dependencies from the store, else by fetching them (appc aci.md, "Dependency Matching"). */
export function dependencyResolver(
  store: Store,
  fetch: DependencyFetch,
  options: ImportOptions,
  above: readonly string[] = [],
): DependencyResolver {
  return async (dependency) => {
    const { imageName, imageID, labels } = dependency;
    const path = [...above, imageName];
    if (above.includes(imageName) || path.length > DEEPEST)
      throw new ImageError('wrong-image', `image ${imageName} depends on itself: ${path.join(' -> ')}`);
    const stored = imageID === undefined ? findNamed(store, imageName, labels) : store.get(imageID);
    const image = (await heldImage(store, stored, options)) ?? (await fetch(dependency, path));
    if (image.manifest.name !== imageName)
      throw new ImageError('wrong-image', `dependency ${imageName} is called ${image.manifest.name}`);
    // rkt keeps half of a sha512, appc has all of it.
    if (imageID === undefined || imageID.startsWith(image.id)) return image;
    throw new ImageError(
      'wrong-image',
      `dependency ${imageName} has the image id ${image.id}, not ${imageID}`,
    );
  };
}

/** The newest image of the store with this name and all of these labels; it may have others besides. */
export function findNamed(
  store: Store,
  name: ImageManifest['name'],
  labels: readonly Label[],
): ImageRecord | undefined {
  return store
    .list()
    .flatMap((id) => store.get(id) ?? [])
    .filter((image) => image.manifest.name === name && hasLabels(image.manifest, labels))
    .sort((a, b) => b.importTime - a.importTime)[0];
}

function hasLabels({ labels }: ImageManifest, wanted: readonly Label[]): boolean {
  return wanted.every(({ name, value }) =>
    labels.some((label) => label.name === name && label.value === value),
  );
}
