import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openDirectory } from '../../../src/os/descriptor.ts';
import { openNameless, pathOf, tryName } from '../../../src/os/nameless-file.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'rkt-nameless-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

test('a file without a name is in no directory until it has one', () => {
  using parent = openDirectory(directory);
  using file = openNameless(parent);
  if (file === undefined) throw new Error(`${directory} is on a file system without such files`);
  writeFileSync(pathOf(file), 'ours');
  execFileSync('sh', ['-c', 'echo " and a child\'s" >> "$0"', pathOf(file)]);
  expect(readdirSync(directory)).toEqual([]);
  expect(tryName(file, parent, 'whole')).toBe(0);
  expect(readFileSync(join(directory, 'whole'), 'utf8')).toBe("ours and a child's\n");
});

test('a name that is taken is not taken from who has it', () => {
  writeFileSync(join(directory, 'taken'), 'theirs');
  using parent = openDirectory(directory);
  using file = openNameless(parent);
  expect(file === undefined ? undefined : tryName(file, parent, 'taken')).toBe(-17);
  expect(readFileSync(join(directory, 'taken'), 'utf8')).toBe('theirs');
});

test('a file system that knows none is told apart', () => {
  using proc = openDirectory('/proc');
  expect(openNameless(proc)).toBeUndefined();
});
