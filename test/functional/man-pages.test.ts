import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { rootDir } from '../../tools/paths.ts';
import { tool } from '../support/tool.ts';

const folder = join(rootDir, 'docs/man');
const pages = readdirSync(folder).map((file) => join(folder, file));

test('mandoc finds nothing in the manual pages but that they have no date', async () => {
  expect(pages).toContain(join(folder, 'rkt-run.1'));
  // It ends with 2 for a warning.
  const lint = await tool('sh', ['-c', 'mandoc -Tlint "$@" || test $? -eq 2', 'sh', ...pages]);
  const remarks = lint.split('\n').filter((line) => line !== '' && !line.includes('missing date'));
  expect(remarks).toEqual([]);
});

test('a reader sees the usage, the flags, the prose and the examples', async () => {
  const shown = (await tool('mandoc', ['-Tascii', join(folder, 'rkt-gc.1')])).replaceAll(/.\x08/g, '');
  expect(shown).toMatch(/^NAME\n +rkt-gc - remove pods that have ended, after a grace period$/m);
  expect(shown).toMatch(/^SYNOPSIS\n +rkt gc \[FLAGS\]$/m);
  expect(shown).toMatch(/^FLAGS\n +--grace-period=DURATION\n +how long a pod that has ended is kept$/m);
  expect(shown).toMatch(/^WHAT IT DOES\n/m);
  expect(shown).toMatch(/^ +# rkt gc --grace-period=0s\n +gc: moving pod/m);
});
