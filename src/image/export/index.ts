import type { ImageRecord, Store } from '../../store/index.ts';
import type { ImportOptions } from '../options.ts';
import { makeOutputFile } from '../output.ts';
import { writeAci } from './aci-file.ts';
import { writeLayoutArchive } from './layout-archive.ts';

export type ExportFormat = 'aci' | 'oci-archive';

export interface ExportRequest {
  readonly path: string;
  readonly format: ExportFormat;
  readonly overwrite: boolean;
}

/**
 * Writes an image to a file that others can run. In the format that it came in it is what was fetched, byte for byte (of an ACI
 * the uncompressed archive, as rkt exported it); in the other it is one archive of all that an app would see.
 * @throws ImageError, OciError for what OCI has no word for
 */
export async function exportImage(
  store: Store,
  image: ImageRecord,
  { path, format, overwrite }: ExportRequest,
  options: ImportOptions,
): Promise<void> {
  store.prepare();
  await makeOutputFile(path, overwrite, (temporary) => {
    switch (format) {
      case 'aci':
        return writeAci(store, image, temporary, options);
      case 'oci-archive':
        return writeLayoutArchive(store, image, temporary, options);
      default:
        return format satisfies never;
    }
  });
}
