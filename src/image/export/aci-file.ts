import { chmodSync, createWriteStream, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { formatImageManifest } from '../../appc/index.ts';
import type { ImageRecord, Store } from '../../store/index.ts';
import { storedContent } from '../blob-content.ts';
import { DEFAULT_EXPANSION, decompressed } from '../decompression.ts';
import { copyLayers } from '../layer-copy.ts';
import type { ImportOptions } from '../options.ts';
import { makeOutputDirectory } from '../output.ts';
import { readyImage } from '../store-image.ts';
import { archiveTo } from './tar-program.ts';

export async function writeAci(
  store: Store,
  image: ImageRecord,
  path: string,
  options: ImportOptions,
): Promise<void> {
  const own = image.contents.at(-1);
  if (own?.form === 'aci') {
    const { bytes } = storedContent(store, own, options);
    const tar = decompressed(bytes, options.limits?.expansion ?? DEFAULT_EXPANSION);
    await pipeline(
      tar,
      createWriteStream(path),
      ...(options.signal === undefined ? [] : [{ signal: options.signal }]),
    );
    return;
  }
  const { layers } = await readyImage(store, image, options);
  using draft = store.draftLayer();
  const paths = layers.map((layer) => store.layerPath(layer));
  makeOutputDirectory(join(draft.rootfs, 'rootfs'));
  await copyLayers(paths, join(draft.rootfs, 'rootfs'));
  writeManifest(join(draft.rootfs, 'manifest'), formatImageManifest(image.manifest));
  await archiveTo(path, draft.rootfs, ['manifest', 'rootfs'], { signal: options.signal });
}

/** Its time and mode are in the archive, and so in the image's id: they are always the same. */
function writeManifest(path: string, text: string): void {
  writeFileSync(path, text);
  chmodSync(path, 0o644);
  utimesSync(path, 0, 0);
}
