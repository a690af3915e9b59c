import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DirectoryTimes } from '../../../../src/image/extract/directory-times.ts';
import { ImpliedDirectories } from '../../../../src/image/extract/implied-directories.ts';
import { LowerLayers } from '../../../../src/image/extract/lower-layers.ts';
import { openDirectory } from '../../../../src/os/descriptor.ts';
import { OWN } from '../../../support/tar-archive.ts';

test('an archive may leave out the entries of some directories, not of millions', () => {
  const base = mkdtempSync(join(tmpdir(), 'rkt-implied-'));
  try {
    using directory = openDirectory(base);
    using lower = new LowerLayers([]);
    const implied = new ImpliedDirectories(lower, new DirectoryTimes(directory), 'follow', OWN);
    const leaveOut = (first: number, count: number) => {
      for (let n = first; n < first + count; n++)
        implied.implied(directory, [`${n}`.padEnd(200, 'x')], false);
    };
    leaveOut(0, 50_000);
    // One whose entry comes after all is no longer one of them.
    for (let n = 0; n < 50_000; n++) expect(implied.takeEntry([`${n}`.padEnd(200, 'x')])).toBe(true);
    leaveOut(50_000, 50_000);
    expect(() => leaveOut(100_000, 10_000)).toThrow(
      /^archive leaves out the entries of more than 5\d{4} directories$/,
    );
  } finally {
    rmSync(base, { recursive: true });
  }
});
