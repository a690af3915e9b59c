import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digest, digestFiles } from '../../../tools/digest.ts';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'rkt-digest-'));
  await mkdir(join(dir, 'a/b'), { recursive: true });
  await writeFile(join(dir, 'a/b/c'), 'one');
  await writeFile(join(dir, 'd'), 'two');
});
afterEach(() => rm(dir, { recursive: true }));

describe('digest', () => {
  it('tells parts apart', () => {
    expect(digest('ab', 'c')).not.toBe(digest('a', 'bc'));
    expect(digest('a', Buffer.from('b'))).toBe(digest('a', 'b'));
  });

  it('changes with a file, a name and nothing else', async () => {
    const before = await digestFiles(dir, ['a', 'd']);
    expect(await digestFiles(dir, ['a', 'd'])).toBe(before);
    await writeFile(join(dir, 'a/b/c'), 'three');
    const after = await digestFiles(dir, ['a', 'd']);
    expect(after).not.toBe(before);
    await writeFile(join(dir, 'a/e'), '');
    expect(await digestFiles(dir, ['a', 'd'])).not.toBe(after);
  });
});
