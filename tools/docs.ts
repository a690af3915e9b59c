/** Writes the parts of `docs/commands` that come from the command line's tables, and `docs/man` from those pages. */
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { commandPages } from './command-pages.ts';
import { manPages } from './man-pages.ts';
import { rootDir } from './paths.ts';
import { writeWhole } from './step.ts';

const pages = await commandPages();
for (const { path, text } of [...pages, ...manPages(pages)]) {
  await mkdir(dirname(join(rootDir, path)), { recursive: true });
  await writeWhole(join(rootDir, path), text);
}
