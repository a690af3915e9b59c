import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TargetTree } from '../../../../src/image/extract/target-tree.ts';
import { openDirectory } from '../../../../src/os/descriptor.ts';

let base = '';
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'rkt-target-'));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const descriptors = () => readdirSync('/proc/self/fd').length;

test('a directory that cannot be given its attributes does not stay open', () => {
  const before = descriptors();
  {
    using tree = new TargetTree(openDirectory(base), {
      below: () => ({ kind: 'directory' }),
      entered: () => {},
      implied: () => {
        throw new Error('no such owner');
      },
    });
    expect(() => tree.directory(['new'])).toThrow('no such owner');
    expect(() => tree.directory(['other', 'new'])).toThrow('no such owner');
  }
  expect(descriptors()).toBe(before);
});
