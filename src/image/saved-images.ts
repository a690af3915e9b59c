import { arrayOf, type Cursor, fields, nonEmptyString, quote, type Refuse } from '../appc/json.ts';
import { documentCursor, parseJsonText } from '../appc/json-document.ts';
import { ImageError } from './error.ts';
import { formatRegistryReference, parseRegistryReference } from './registry/reference.ts';

/** An image in a file that a container engine has saved: names of files in there, and what it is called. */
export interface SavedImage {
  readonly config: string;
  /** From the lowest to the topmost. */
  readonly layers: readonly string[];
  readonly tags: readonly string[];
}

/** Of `manifest.json`, in characters: one image of 500 layers takes 50,000. */
export const largestSavedIndex = 4 * 1024 * 1024;

const LIMITS = { characters: largestSavedIndex, depth: 8, values: 200_000 };
const MOST_SHOWN = 10;

const refuse: Refuse = (_code, path, problem, cause) =>
  new ImageError('bad-layout', `manifest.json: ${path === '' ? '' : `${path}: `}${problem}`, { cause });

/** Reads the `manifest.json` of `docker save` (Docker image specification 1.2). @throws ImageError bad-layout */
export function parseSavedImages(text: string): readonly SavedImage[] {
  return arrayOf(readImage)(documentCursor(parseJsonText(text, refuse, LIMITS), refuse, LIMITS));
}

function readImage(at: Cursor): SavedImage {
  const image = fields(at);
  return {
    config: image.required('Config', nonEmptyString),
    layers: image.list('Layers', nonEmptyString),
    tags: image.list('RepoTags', nonEmptyString),
  };
}

/**
 * The image that a tag, `REPOSITORY[:TAG]`, stands for; without a tag there must be one only. Engines differ in how much of a name
 * they write: `busybox` is `docker.io/library/busybox:latest`. @throws ImageError bad-reference, not-found
 */
export function chooseSaved(images: readonly SavedImage[], tag: string | undefined): SavedImage {
  const found = tag === undefined ? images : images.filter((image) => isCalled(image, canonical(tag)));
  const [image] = found;
  if (image !== undefined && found.length === 1) return image;
  if (images.length === 0) throw new ImageError('bad-layout', 'the archive has no image');
  if (image === undefined)
    throw new ImageError('not-found', `no image ${quote(tag)} in the archive, it has ${listed(images)}`);
  const which =
    tag === undefined ? `several images, name one of ${listed(images)}` : `several images ${quote(tag)}`;
  throw new ImageError('bad-reference', `the archive has ${which}`);
}

function isCalled({ tags }: SavedImage, name: string): boolean {
  return tags.some((tag) => canonical(tag) === name);
}

// What engines write into archives need not be a name as registries take it: then it only equals itself.
function canonical(tag: string): string {
  try {
    return formatRegistryReference(parseRegistryReference(tag));
  } catch (error) {
    if (error instanceof ImageError) return tag;
    throw error;
  }
}

function listed(images: readonly SavedImage[]): string {
  const names = images.map(({ tags }) => (tags.length === 0 ? '(one without a name)' : tags.join(' = ')));
  const shown = names.slice(0, MOST_SHOWN).join(', ');
  return names.length > MOST_SHOWN ? `${shown} and ${names.length - MOST_SHOWN} more` : shown;
}
