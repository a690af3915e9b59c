import type { Digest } from '../oci/index.ts';
import { digestAlgorithm, digestHex } from '../oci/index.ts';
import type { Store } from '../store/index.ts';
import { GrowingFile } from './growing-file.ts';
import type { ImportOptions } from './options.ts';

/** Keeps a document whose digest has been checked, byte for byte as it came. */
export async function keepBlob(
  store: Store,
  digest: Digest,
  text: string,
  { signal }: Pick<ImportOptions, 'signal'>,
): Promise<void> {
  if (store.blobs.size(digest) !== undefined) return;
  const name = `${digestAlgorithm(digest)}-${digestHex(digest)}`;
  using _lock = await store.locks.exclusive(name, signal);
  using file = new GrowingFile(store.blobs.partialPath(name), digestAlgorithm(digest), 'restart');
  file.append(Buffer.from(text));
  file.finish();
  store.blobs.keep(file.path, digest);
}
