import type { ImageRecord, RemoteNote, Store } from '../store/index.ts';
import type { PullPolicy } from './context.ts';
import { ImageError } from './error.ts';
import type { ImportOptions } from './options.ts';
import { heldImage, rememberedImage } from './store-image.ts';

/** An image that the store has of an address, and what was said of it when it was fetched. */
export interface Remembered {
  readonly image: ImageRecord;
  readonly note: RemoteNote;
}

/** What an address was when it was last fetched, if all of it is still there: from now on it stays. */
export async function remembered(
  store: Store,
  key: string,
  options: ImportOptions,
): Promise<Remembered | undefined> {
  const note = store.remotes.find(key);
  if (note === undefined) return undefined;
  const image = await heldImage(store, rememberedImage(store, note.id), options);
  return image === undefined ? undefined : { note, image };
}

/** Whether the policy takes what the store has without asking anybody. @throws ImageError `not-found` if it has nothing and may not ask */
export function takesStored(policy: PullPolicy, isStored: boolean, name: string): boolean {
  if (policy === 'never' && !isStored)
    throw new ImageError('not-found', `no image of ${name} in the store, and the pull policy is never`);
  return isStored && policy !== 'update';
}
