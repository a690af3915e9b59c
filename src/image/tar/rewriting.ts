import { formatTarEntry, TAR_END, tarPadding } from '../../abi/tar.ts';
import type { Bytes } from '../stream.ts';
import { ByteSource, feedOf } from './byte-source.ts';
import type { Entry } from './entry.ts';
import { TarReader } from './reader.ts';

/**
 * A tar of whatever kind as rkt writes it (`src/abi/tar.ts`), whole, in bounds and with each entry as `change` has it: undefined leaves it
 * out. @throws TarError
 */
export async function* rewritten(
  tar: Bytes,
  change: (entry: Entry) => Entry | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = new TarReader(new ByteSource(feedOf(tar)), { endMarker: 'required' });
  for await (const entry of reader.entries()) {
    const changed = change(entry);
    if (changed === undefined) continue;
    yield formatTarEntry(withoutEmptyRegions(changed));
    let length = 0;
    for await (const { bytes } of reader.content()) {
      yield bytes;
      length += bytes.length;
    }
    yield new Uint8Array(tarPadding(length));
  }
  yield TAR_END;
}

/** GNU tar marks the end of a file by one. */
function withoutEmptyRegions(entry: Entry): Entry {
  if (entry.kind !== 'file') return entry;
  return { ...entry, regions: entry.regions.filter(({ length }) => length > 0) };
}
