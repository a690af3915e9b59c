import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useEngine } from '../../../../src/native/engine.ts';
import { diskContent } from '../../../../src/supervisor/disks/content.ts';
import { openDisk } from '../../../../src/supervisor/disks/disk.ts';
import { koffiEngine } from '../../../support/koffi-syscall.ts';

const MIB = 1024 * 1024;
const directory = mkdtempSync(join(tmpdir(), 'disks-'));
beforeAll(() => useEngine(koffiEngine));
afterAll(() => rmSync(directory, { recursive: true }));

/** What is not written is a hole, unless it is `filled` with zeros. */
function image(
  name: string,
  mebibytes: number,
  marks: Readonly<Record<number, string>>,
  filled = false,
): string {
  const path = join(directory, name);
  const bytes = Buffer.alloc(filled ? mebibytes * MIB : 0);
  writeFileSync(path, bytes);
  truncateSync(path, mebibytes * MIB);
  for (const [at, text] of Object.entries(marks)) {
    const whole = Buffer.alloc(mebibytes * MIB);
    whole.write(text, Number(at), 'latin1');
    writeFileSync(path, whole);
  }
  return path;
}

test.each([
  ['a hole', 4, {}, false, 'nothing'],
  ['zeros', 4, {}, true, 'nothing'],
  ['as small as may be', 1, {}, true, 'nothing'],
  ['ext4', 4, { [1024 + 56]: '\x53\xef' }, false, 'ext4'],
  ['a partition table', 4, { 510: '\x55\xaa' }, false, 'something'],
  ['the copy of one, at the end', 4, { [4 * MIB - 512]: 'EFI PART' }, false, 'something'],
  ['btrfs', 4, { [64 * 1024 + 64]: '_BHRfS_M' }, false, 'something'],
  ['what is in the middle alone', 4, { [2 * MIB]: 'x' }, false, 'nothing'],
] as const)('of %s', (name, size, marks, filled, content) => {
  using disk = openDisk('volume v', image(name.replaceAll(' ', '-'), size, marks, filled), false);
  expect(diskContent(disk)).toBe(content);
});

test('one pod writes, or many read; the lock goes with the last who has the file', () => {
  const path = image('locked', 1, {});
  const other = () => openDisk('volume v', path, false);
  const reader = () => openDisk('volume v', path, true);
  {
    using _ = openDisk('volume v', path, false);
    expect(other).toThrow(`volume v: ${path} is in use: another pod has it`);
    expect(reader).toThrow(`volume v: ${path} is in use: a pod writes to it`);
  }
  {
    using _ = reader();
    using __ = reader();
    expect(other).toThrow('is in use: another pod has it');
  }
  using _ = other();
});

test.each([
  ['/dev/null', 'neither a file nor a block device'],
  ['/no/such', 'ENOENT'],
  [directory, 'EISDIR'],
])('%s is no disk', (path, why) => {
  expect(() => openDisk('volume v', path, false)).toThrow(why);
});

test('what has no room for a file system is no disk', () => {
  const path = join(directory, 'small');
  writeFileSync(path, 'x');
  expect(() => openDisk('volume v', path, false)).toThrow('has 1 bytes: at least 1048576 are needed');
});
