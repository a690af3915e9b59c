import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from './build.ts';
import { inherit } from './inherit.ts';
import { rootDir } from './paths.ts';

await build();
const programs = (await readdir(join(rootDir, 'bench'))).filter((name) => name.endsWith('.ts')).sort();
// One after the other: they would measure each other.
for (const program of programs) {
  process.stdout.write(`\n${program}\n`);
  const status = await inherit('node', ['--import', 'tsx', join('bench', program)]);
  if (status !== 0) process.exitCode = 1;
}
