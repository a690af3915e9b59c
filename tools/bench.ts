import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from './build.ts';
import { inherit } from './inherit.ts';
import { rootDir } from './paths.ts';
import { program } from './program.ts';

// One after the other: they would measure each other.
await program(async () => {
  await build();
  const names = (await readdir(join(rootDir, 'bench'))).filter((name) => name.endsWith('.ts')).sort();
  let failed = 0;
  for (const name of names) {
    process.stdout.write(`\n${name}\n`);
    const status = await inherit('node', ['--import', 'tsx', join('bench', name)]);
    if (status !== 0) failed += 1;
  }
  return failed === 0 ? 0 : 1;
});
