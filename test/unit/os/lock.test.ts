import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ensureLockFile, exclusive, tryExclusive, tryShared } from '../../../src/os/lock.ts';

describe('locks', () => {
  let dir = '';
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'rkt-lock-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it('has one exclusive holder of a directory, also after a rename', () => {
    const old = join(dir, 'old');
    const moved = join(dir, 'moved');
    mkdirSync(old);
    const lock = tryExclusive(old);
    expect(lock).toBeDefined();
    renameSync(old, moved);
    expect(tryExclusive(moved)).toBeUndefined();
    expect(tryShared(moved)).toBeUndefined();
    lock?.release();
    lock?.release();
    using again = tryExclusive(moved);
    expect(again).toBeDefined();
  });

  it('lets shared holders be together, without an exclusive one', () => {
    using one = tryShared(dir);
    using two = tryShared(dir);
    expect([one, two]).not.toContain(undefined);
    expect(tryExclusive(dir)).toBeUndefined();
  });

  it('waits for the holder, or until aborted', async () => {
    const file = ensureLockFile(join(dir, 'file'));
    const holder = tryExclusive(file);
    await expect(exclusive(file, AbortSignal.timeout(20))).rejects.toThrow();
    setTimeout(() => holder?.release(), 20);
    using lock = await exclusive(file);
    expect(lock.path).toBe(file);
  });

  it('names what cannot be opened', () => {
    expect(() => tryExclusive(join(dir, 'none'))).toThrow(/ENOENT.*none/);
  });
});
