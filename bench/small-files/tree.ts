import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomFrom } from '../../test/support/random.ts';
import { ContentPools } from '../pulled-image/content.ts';
import { FILES, FILES_PER_DIRECTORY } from './size.ts';

/** As sources, headers and modules of packages are. */
const LEAST = 200;
const MOST = 8000;

/** Writes files, always the same: 40 MB of text. */
export function writeTree(directory: string): void {
  const random = randomFrom(2000);
  const pools = new ContentPools(random);
  for (let number = 0; number < FILES; number++) {
    const package_ = join(directory, `package-${Math.floor(number / FILES_PER_DIRECTORY)}`);
    if (number % FILES_PER_DIRECTORY === 0) mkdirSync(package_, { recursive: true });
    const size = Math.round(LEAST + random() * (MOST - LEAST));
    writeFileSync(join(package_, `file-${number % FILES_PER_DIRECTORY}`), pools.cut('text', size));
  }
}
