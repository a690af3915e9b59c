import { SPARE, SPARES } from '../src/abi/spares.ts';
import { TEMPLATES } from '../src/abi/templates.ts';
import { readTextIfPresent } from '../src/native/contents.ts';
import { readdir } from '../src/native/directories.ts';
import { unless } from '../src/native/errors.ts';

/** Of all spares of a data directory. */
export function spareIds(data: string): number[] {
  const below = (path: string) =>
    unless(['ENOENT', 'ENOTDIR'], () => readdir(path))?.map((name) => `${path}/${name}`) ?? [];
  return below(`${data}/${TEMPLATES}`)
    .flatMap((scope) => below(`${scope}/${SPARES}`))
    .flatMap(below)
    .flatMap((slot) => {
      const id = Number(readTextIfPresent(`${slot}/${SPARE.id}`));
      return id > 0 ? [id] : [];
    });
}
