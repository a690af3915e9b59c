import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openStore } from '../../src/store/index.ts';
import { fetchLocal } from '../../test/support/fetch.ts';
import { ACI_MANIFEST } from '../../test/support/image-files.ts';
import * as tar from '../../test/support/tar-archive.ts';

/** Fills the store of the data directory with images of one file each. */
export async function fillStore(dataDirectory: string, scratch: string, count: number): Promise<void> {
  const store = openStore(dataDirectory);
  const path = join(scratch, 'image.aci');
  for (let number = 0; number < count; number++) {
    const manifest = JSON.stringify({ ...ACI_MANIFEST, name: `example.com/image-${number}` });
    const entries = [tar.file('manifest', manifest), tar.directory('rootfs'), tar.file('rootfs/file', 'x')];
    writeFileSync(path, tar.archive(...entries));
    await fetchLocal(store, path, scratch);
  }
}
