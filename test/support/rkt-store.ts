import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The data directory of an rkt 1.x that had fetched these images (uncompressed ACIs), with the files that such a directory has beside
 * them. Gives the images' ids.
 */
export function writeRktStore(dataDirectory: string, images: readonly Uint8Array[]): string[] {
  const at = (...path: string[]) => join(dataDirectory, 'cas', ...path);
  for (const name of ['db', 'imagelocks', 'tmp', 'tree', 'treestorelocks', 'blob/sha512'])
    mkdirSync(at(name), { recursive: true });
  writeFileSync(at('db/ql.db'), 'a database');
  writeFileSync(at('tmp/123456'), 'half an image');
  return images.map((image) => {
    const hex = createHash('sha512').update(image).digest('hex').slice(0, 64);
    for (const [store, content] of [
      ['blob', image],
      ['imageManifest', '{}'],
    ] as const) {
      const directory = at(store, 'sha512', hex.slice(0, 2));
      mkdirSync(directory, { recursive: true });
      writeFileSync(join(directory, `sha512-${hex}`), content, { mode: 0o660 });
    }
    writeFileSync(at('imagelocks', `sha512-${hex}`), '');
    return `sha512-${hex}`;
  });
}
