import { createReadStream, statSync } from 'node:fs';
import type { Archive, Store } from '../store/index.ts';
import { ImageError } from './error.ts';
import type { ArchiveContent } from './layers.ts';
import type { ImportOptions } from './options.ts';
import { withProgress } from './progress.ts';

const READ_SIZE = 1024 * 1024;

/** An archive as it lies in a file. What it unpacks to is checked when it is extracted. */
export function fileContent(
  path: string,
  layer: string,
  options: Pick<ImportOptions, 'report'>,
): ArchiveContent {
  const size = statSync(path).size;
  const file = createReadStream(path, { highWaterMark: READ_SIZE });
  return { bytes: withProgress(file, layer, options, size), complete: async () => undefined };
}

/** An archive out of the store. @throws ImageError not-found */
export function storedContent(
  store: Store,
  { blob }: Pick<Archive, 'blob'>,
  options: Pick<ImportOptions, 'report'>,
): ArchiveContent {
  if (store.blobs.size(blob) === undefined)
    throw new ImageError('not-found', `blob ${blob} is not in the store any more: fetch the image again`);
  return fileContent(store.blobs.path(blob), blob, options);
}
