/** Writes the parts of `docs/commands` that come from the command line's tables. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { commandPages } from './command-pages.ts';
import { rootDir } from './paths.ts';
import { writeWhole } from './step.ts';

await mkdir(join(rootDir, 'docs/commands'), { recursive: true });
for (const { path, text } of await commandPages()) await writeWhole(join(rootDir, path), text);
