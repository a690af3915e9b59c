import { ImageError, importRktImage, type RktStoreImage, rktStoreImages } from '../image/index.ts';
import type { Attention, Host } from './host.ts';
import { ImageSession } from './image-session.ts';

export type RktImportEvent =
  | { readonly kind: 'imported'; readonly id: string; readonly name: string }
  | { readonly kind: 'present'; readonly id: string }
  | { readonly kind: 'failed'; readonly id: string; readonly error: unknown };

/**
 * Brings the images of an existing rkt 1.x data directory over, each by itself. Those that depend on others come after them, in
 * whatever order they lie there. None becomes a stage1 by it.
 */
export async function importRktStore(
  host: Host,
  directory: string,
  report: (event: RktImportEvent) => void,
  attention: Attention,
): Promise<void> {
  await using session = new ImageSession(host, attention);
  for (let images = [...rktStoreImages(directory)]; images.length > 0; ) {
    const waiting: Array<{ readonly image: RktStoreImage; readonly error: unknown }> = [];
    for (const image of images) {
      const error = await importOne(session, image, report);
      if (error !== undefined) waiting.push({ image, error });
    }
    // Nothing has come that they could have waited for.
    if (waiting.length === images.length) {
      for (const { image, error } of waiting) report({ kind: 'failed', id: image.id, error });
      return;
    }
    images = waiting.map(({ image }) => image);
  }
}

/** Gives the error of an image that may come later, when what it depends on has come. */
async function importOne(
  { store, options }: ImageSession,
  image: RktStoreImage,
  report: (event: RktImportEvent) => void,
): Promise<unknown> {
  const { id } = image;
  try {
    if (store.get(id) !== undefined) {
      report({ kind: 'present', id });
      return undefined;
    }
    const { manifest } = await importRktImage(store, image, options);
    report({ kind: 'imported', id, name: manifest.name });
    return undefined;
  } catch (error) {
    if (error instanceof ImageError && error.code === 'missing-dependency') return error;
    options.signal?.throwIfAborted();
    report({ kind: 'failed', id, error });
    return undefined;
  }
}
