import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { directory, file, symlink } from '../../../../tools/stage1/entry.ts';
import { writeTar } from '../../../../tools/stage1/tar.ts';

describe('writeTar', () => {
  it('is read back by tar, owners and times zero', () => {
    const archive = writeTar([directory('a'), file('a/b', Buffer.from('text'), 0o755), symlink('a/c', 'b')]);
    const options = ['-tvf', '-', '--full-time', '--utc', '--numeric-owner'];
    const list = execFileSync('tar', options, { input: archive, encoding: 'utf8' });
    expect(list.trim().split('\n')).toEqual([
      expect.stringMatching(/^drwxr-xr-x 0\/0 +0 1970-01-01 00:00:00 a\/$/),
      expect.stringMatching(/^-rwxr-xr-x 0\/0 +4 1970-01-01 00:00:00 a\/b$/),
      expect.stringMatching(/^lrwxrwxrwx 0\/0 +0 1970-01-01 00:00:00 a\/c -> b$/),
    ]);
  });

  it('ends in two empty blocks', () => {
    expect(writeTar([])).toEqual(Buffer.alloc(1024));
  });

  it('refuses a name that the header cannot hold', () => {
    expect(() => writeTar([directory('d'.repeat(100))])).toThrow(/longer than 100 bytes/);
  });
});
