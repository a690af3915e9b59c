import { formatTarEntry, TAR_END, tarPadding } from './tar.ts';
import { parseTarEntry } from './tar-reading.ts';

/** How the two ends of a copied tree write and read it, as `src/native/tree-copy.ts` wants to know. */
export const ARCHIVE_FORMAT = {
  format: formatTarEntry,
  padding: tarPadding,
  end: TAR_END,
  parse: parseTarEntry,
} as const;
