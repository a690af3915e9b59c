import {
  type Dependency,
  formatImageName,
  type ImageManifest,
  imageNameOf,
  type Label,
} from '../appc/index.ts';
import type { ImageRecord, Store } from '../store/index.ts';
import { ImageError } from './error.ts';
import type { ImportOptions } from './options.ts';
import { canonicalReference } from './reference.ts';
import { checkImageId, checkImageMatches } from './requested-image.ts';
import { heldImage } from './store-image.ts';
import { about } from './subject.ts';

/** Images one below the other: deeper nesting is a trick. */
const DEEPEST = 32;

/** An image that is being fetched: until all that it depends on is there, its address is locked. */
export interface Dependant {
  /** As its user calls it, or the image that depends on it. */
  readonly name: string;
  /** Of its address. */
  readonly key: string;
}

/** Those that wait for an image, the outermost first. */
export type Dependants = readonly Dependant[];

/** Brings what an image depends on. @throws ImageError wrong-image */
export type DependencyResolver = (dependency: Dependency) => Promise<ImageRecord>;

/**
 * An image and those that wait for it. Asked before its address is locked: one that is among them already would wait for itself.
 * @throws ImageError wrong-image
 */
export function joined(dependants: Dependants, image: Dependant): Dependants {
  const path = [...dependants, image];
  const names = path.map(({ name }) => name).join(' -> ');
  if (dependants.some(({ key }) => key === image.key))
    throw new ImageError('wrong-image', `image ${image.name} depends on itself: ${names}`);
  if (path.length > DEEPEST)
    throw new ImageError('wrong-image', `more than ${DEEPEST} images depend on one another: ${names}`);
  return path;
}

/** Resolves dependencies from the store, else by fetching them (appc aci.md, "Dependency Matching"). */
export function dependencyResolver(
  store: Store,
  fetch: DependencyResolver,
  options: ImportOptions,
): DependencyResolver {
  return async (dependency) => {
    const { imageName, imageID, labels } = dependency;
    const stored = imageID === undefined ? findNamed(store, imageName, labels) : store.get(imageID);
    const image = await heldImage(store, stored, options);
    try {
      const found = image ?? (await fetch(dependency));
      checkImageMatches(found.manifest, imageName, []);
      checkImageId(found.id, imageID);
      return found;
    } catch (error) {
      const name = formatImageName(imageNameOf(imageName, labels));
      throw about(`dependency ${name}`, error);
    }
  };
}

/**
 * The newest image of the store with this name and all of these labels; it may have others besides. One that came long ago is new
 * again when it is what the name leads to by now: a publisher may take the last one back.
 */
export function findNamed(
  store: Store,
  name: ImageManifest['name'],
  labels: readonly Label[],
): ImageRecord | undefined {
  const led = store.remotes.find(
    canonicalReference({ kind: 'appc-name', text: name, ...imageNameOf(name, labels) }),
  );
  const age = ({ id, importTime }: ImageRecord) =>
    id === led?.id ? Math.max(led.fetchedAt, importTime) : importTime;
  return store
    .list()
    .flatMap((id) => store.get(id) ?? [])
    .filter((image) => image.manifest.name === name && hasLabels(image.manifest, labels))
    .sort((a, b) => age(b) - age(a))[0];
}

function hasLabels({ labels }: ImageManifest, wanted: readonly Label[]): boolean {
  return wanted.every(({ name, value }) =>
    labels.some((label) => label.name === name && label.value === value),
  );
}
