import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { removeTree } from '../../../src/native/tree-removal.ts';
import { nativeScratch } from '../../support/native-scratch.ts';

const scratch = nativeScratch();

it('removes a directory with all that is in it, and nothing that links lead to', () => {
  const [tree, other] = [join(scratch, 'tree'), join(scratch, 'other')];
  for (const directory of [join(tree, 'a/b'), join(tree, 'empty'), other])
    mkdirSync(directory, { recursive: true });
  for (const path of [join(tree, 'file'), join(tree, 'a/b/file'), join(other, 'kept')])
    writeFileSync(path, '');
  symlinkSync(other, join(tree, 'a/link'));
  symlinkSync('/nowhere', join(tree, 'a/b/dangling'));
  removeTree(tree);
  expect(existsSync(tree)).toBe(false);
  expect(existsSync(join(other, 'kept'))).toBe(true);
});

it('says which directory is not there', () => {
  expect(() => removeTree(join(scratch, 'none'))).toThrow('none');
});
