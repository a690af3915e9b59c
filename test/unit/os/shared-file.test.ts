import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  linkSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { expect, test } from 'vitest';
import { replaceFile } from '../../../src/os/durable.ts';
import { openOwnFile, readSharedFile } from '../../../src/os/shared-file.ts';
import { useScratchTree } from '../../support/scratch-tree.ts';

const { at, put } = useScratchTree();

/** What somebody else may have put where a file is to be written. */
const PLANTS: Readonly<Record<string, (path: string, victim: string) => void>> = {
  'a symbolic link': (path, victim) => symlinkSync(victim, path),
  'a link to nowhere': (path) => symlinkSync(at('nowhere'), path),
  'a hard link': (path, victim) => linkSync(victim, path),
  'a fifo': (path) => void execFileSync('mkfifo', [path]),
};

test.each(Object.keys(PLANTS))('%s in the place of a file is not written through, nor waited for', (what) => {
  put('victim', 'precious');
  PLANTS[what]?.(at('file'), at('victim'));
  const fd = openOwnFile(at('file'), 0o640);
  writeSync(fd, 'content');
  closeSync(fd);
  expect([readFileSync(at('victim'), 'utf8'), readFileSync(at('file'), 'utf8')]).toEqual([
    'precious',
    'content',
  ]);
  const stats = statSync(at('file'));
  expect([stats.isFile(), stats.nlink]).toEqual([true, 1]);

  PLANTS[what]?.(at('other.tmp'), at('victim'));
  replaceFile(at('other'), 'content');
  expect([readFileSync(at('victim'), 'utf8'), readFileSync(at('other'), 'utf8')]).toEqual([
    'precious',
    'content',
  ]);
});

test('a file of our own is gone on with', () => {
  put('file', 'begun');
  const { ino } = statSync(at('file'));
  closeSync(openOwnFile(at('file'), 0o640));
  expect([statSync(at('file')).ino, readFileSync(at('file'), 'utf8')]).toEqual([ino, 'begun']);
});

test('one that others may have opened to write to is not: they could change it after it has been checked', () => {
  put('file', 'begun');
  chmodSync(at('file'), 0o660);
  closeSync(openOwnFile(at('file'), 0o640));
  expect(readFileSync(at('file'), 'utf8')).toBe('');
});

test('a directory in the place of a file goes, with what is in it', () => {
  mkdirSync(at('file/a/b'), { recursive: true });
  closeSync(openOwnFile(at('file'), 0o640));
  expect(statSync(at('file')).isFile()).toBe(true);
});

test('reading finds a file or nothing, and follows no link', () => {
  put('file', 'content');
  symlinkSync(at('file'), at('link'));
  execFileSync('mkfifo', [at('fifo')]);
  expect([readSharedFile(at('file')), readSharedFile(at('absent')), readSharedFile(at('fifo'))]).toEqual([
    'content',
    undefined,
    '',
  ]);
  expect(() => readSharedFile(at('link'))).toThrow(expect.objectContaining({ code: 'ELOOP' }));
});

test('what was there is replaced at once, also over an attempt that was cut short', () => {
  writeFileSync(at('file'), 'old');
  writeFileSync(at('file.tmp'), 'a longer text that nobody finished');
  replaceFile(at('file'), 'new', 0o600);
  expect([readFileSync(at('file'), 'utf8'), statSync(at('file')).mode & 0o777]).toEqual(['new', 0o600]);
});

test('what would fill the memory is not read', () => {
  put('file', '');
  truncateSync(at('file'), 2 ** 31);
  expect(() => readSharedFile(at('file'))).toThrow(expect.objectContaining({ code: 'EFBIG' }));
});
