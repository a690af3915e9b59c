import { AppcError, type ImageID, type ImageName, parseImageName } from '../appc/index.ts';
import { canonicalReference, findNamed, parseReference, requireImage } from '../image/index.ts';
import { type ImageRecord, type Store, StoreError } from '../store/index.ts';

/**
 * The image of the store that a word of the command line means: an id or the beginning of one, a name as `image list` shows it,
 * or an image string that it was fetched by. @throws StoreError in rkt's words
 */
export function lookUpImage(store: Store, word: string): ImageRecord {
  if (isId(word)) return requireImage(store, store.resolve(word));
  const name = nameOf(word);
  const found = (name && findNamed(store, name.name, name.labels)) ?? fetchedAs(store, word);
  if (found !== undefined) return found;
  const labels = (name?.labels ?? []).map((label) => `{${label.name} ${label.value}}`);
  throw new StoreError(
    'no-image',
    `cannot find aci satisfying name: "${name?.name ?? word}" and labels: [${labels.join(' ')}] in the local store`,
  );
}

/** The same for who needs the id alone: one whose record cannot be read has it all the same, and can be removed by it. */
export function lookUpImageId(store: Store, word: string): ImageID {
  return isId(word) ? store.resolve(word) : lookUpImage(store, word).id;
}

function isId(word: string): boolean {
  return /^sha(?:256|512)-/.test(word);
}

function nameOf(word: string): ImageName | undefined {
  try {
    return parseImageName(word);
  } catch (error) {
    if (error instanceof AppcError) return undefined;
    throw error;
  }
}

function fetchedAs(store: Store, word: string): ImageRecord | undefined {
  const reference = parseReference(word, process.cwd());
  const note = store.remotes.find(canonicalReference(reference));
  return note === undefined ? undefined : store.get(note.id);
}
