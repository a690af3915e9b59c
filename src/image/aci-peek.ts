import { createReadStream } from 'node:fs';
import type { ImageManifest } from '../appc/index.ts';
import { AciLayout } from './aci-layer.ts';
import { DEFAULT_EXPANSION, decompressed } from './decompression.ts';
import { ImageError } from './error.ts';
import type { ImportOptions } from './options.ts';
import { ByteSource, feedOf, TarReader } from './tar/index.ts';

const READ_SIZE = 256 * 1024;

/** The manifest of an ACI, read no further than to it: its name says whose signature is to be checked. Nothing else is believed yet. */
export async function peekManifest(path: string, { limits = {} }: ImportOptions): Promise<ImageManifest> {
  const layout = new AciLayout();
  const { intercept } = layout.unpacking([]);
  const file = createReadStream(path, { highWaterMark: READ_SIZE });
  const tar = decompressed(file, limits.expansion ?? DEFAULT_EXPANSION);
  const reader = new TarReader(new ByteSource(feedOf(tar)), {
    endMarker: 'required',
    ...(limits.tar === undefined ? {} : { limits: limits.tar }),
  });
  try {
    for await (const entry of reader.entries()) {
      await intercept?.(entry, reader);
      const { manifest } = layout;
      if (manifest !== undefined) return manifest;
    }
  } finally {
    await tar.return();
    file.destroy();
  }
  throw new ImageError('bad-layout', 'no image manifest found in layout');
}
