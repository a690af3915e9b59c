import type { ImageRecord, Store } from '../store/index.ts';
import { importAci } from './aci.ts';
import { dependencyResolver } from './dependency.ts';
import { ImageError } from './error.ts';
import { fileBytes } from './local-file.ts';
import type { ImportOptions } from './options.ts';
import type { RktStoreImage } from './rkt-store.ts';
import { lockSource, spool } from './spool.ts';

/**
 * Takes over an image that rkt has fetched and, as far as it was asked to, verified. It is read and hashed anew: its id must be what
 * the old store calls it. What it depends on is to be taken over first. @throws ImageError `missing-dependency`, `wrong-image`
 */
export async function importRktImage(
  store: Store,
  { id, path }: RktStoreImage,
  options: ImportOptions,
): Promise<ImageRecord> {
  store.prepare();
  const key = `rkt:${path}`;
  using _lock = await lockSource(store, { key, what: `image ${id}` }, options);
  using spooled = await spool(store, { key, what: id, remote: fileBytes(path), resume: false }, options);
  return await importAci(
    store,
    {
      source: path,
      spool: spooled,
      check: (_, found) => {
        if (found !== id) throw new ImageError('wrong-image', `image ${id} has the content of ${found}`);
      },
      resolve: dependencyResolver(
        store,
        async () => {
          throw new ImageError('missing-dependency', 'it is not in the store');
        },
        options,
      ),
    },
    options,
  );
}
