import { AppcError } from '../appc/index.ts';
import { OciError, type Platform } from '../oci/index.ts';
import { type ImageRecord, type Store, StoreError } from '../store/index.ts';
import { importAci } from './aci.ts';
import { ImageError } from './error.ts';
import { importOci } from './oci.ts';
import { openLayoutArchive } from './oci-archive.ts';
import { openLayoutDirectory } from './oci-layout.ts';
import type { ImportOptions } from './options.ts';
import type { ImageReference } from './reference.ts';
import { TarError } from './tar/index.ts';

/**
 * Brings the image that a reference names into the store, unless it is there already, and returns its record. Local files are read
 * again only if they changed; layers that another image brought are not extracted again.
 * @throws ImageError, StoreError, SystemError
 */
export async function importImage(
  store: Store,
  reference: ImageReference,
  options: ImportOptions,
): Promise<ImageRecord> {
  if (reference.kind === 'image-id') return fromStore(store, reference.id, options);
  if (!options.insecureImage) {
    throw new ImageError(
      'unverified',
      `signature verification of ${reference.text} is not supported (try --insecure-options=image)`,
    );
  }
  store.prepare();
  const started = performance.now();
  options.report?.({ kind: 'image-import', source: reference.text });
  const record = await fromSource(store, reference, options).catch((error: unknown) => {
    throw named(error, reference.text);
  });
  const milliseconds = performance.now() - started;
  options.report?.({ kind: 'image-imported', source: reference.text, id: record.id, milliseconds });
  return record;
}

async function fromSource(
  store: Store,
  reference: Exclude<ImageReference, { kind: 'image-id' }>,
  options: ImportOptions,
): Promise<ImageRecord> {
  const platform = options.platform ?? hostPlatform();
  switch (reference.kind) {
    case 'aci-file':
      return importAci(store, reference, options);
    case 'oci-layout': {
      using layout = openLayoutDirectory(reference.path);
      return await importOci(store, reference, layout, platform, options);
    }
    case 'oci-archive': {
      using layout = await openLayoutArchive(reference.path);
      return await importOci(store, reference, layout, platform, options);
    }
    default:
      return reference satisfies never;
  }
}

// What is wrong inside an image is told with the image's name; what stops the import from outside (an abort, a full disk) as it is.
function named(error: unknown, text: string): unknown {
  if (error instanceof ImageError)
    return new ImageError(error.code, `image ${text}: ${error.message}`, { cause: error });
  const isContent = error instanceof TarError || error instanceof OciError || error instanceof AppcError;
  return isContent ? new ImageError('bad-image', `image ${text}: ${error.message}`, { cause: error }) : error;
}

// It was verified, or said to need no verification, when it was imported.
function fromStore(store: Store, prefix: string, { report }: ImportOptions): ImageRecord {
  const record = store.get(store.resolve(prefix));
  if (record === undefined) throw new StoreError('no-image', `no image IDs found for "${prefix}"`);
  if (!store.isComplete(record)) {
    throw new StoreError(
      'layer-missing',
      `image ${record.id} has lost layers: import it again from ${record.source}`,
    );
  }
  store.touch(record.id);
  report?.({ kind: 'image-found', source: prefix, id: record.id });
  return record;
}

/** In Go's words, which OCI images use; Node's own differ for these. */
function hostPlatform(): Platform {
  const architectures: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };
  return { os: 'linux', architecture: architectures[process.arch] ?? process.arch };
}
