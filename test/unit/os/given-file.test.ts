import { execFileSync, spawnSync } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readGivenBytes, readGivenText } from '../../../src/os/given-file.ts';
import { useScratchTree } from '../../support/scratch-tree.ts';

const { at, put } = useScratchTree();

test('what is as large as it may be is read to its end', () => {
  put('file', 'ünïcode');
  expect(readGivenText(at('file'), Buffer.byteLength('ünïcode'))).toBe('ünïcode');
  put('empty', '');
  expect(readGivenText(at('empty'), 10)).toBe('');
  put('large', 'x'.repeat(200_000));
  expect(readGivenBytes(at('large'), 200_000)).toHaveLength(200_000);
});

test('files of the kernel, whose size is not known before, are read as well', () => {
  expect(readGivenText('/proc/self/status', 10_000)).toMatch(/^Name:/);
});

test('the null device is read as the empty file that it stands for', () => {
  expect(readGivenText('/dev/null', 10)).toBe('');
});

test('what is larger is refused', () => {
  put('file', 'x'.repeat(200_001));
  expect(() => readGivenText(at('file'), 200_000)).toThrow(`${at('file')} has more than 200000 bytes`);
});

test('a fifo is not waited for, a device and a directory are not read; nor is what a link leads to', () => {
  execFileSync('mkfifo', [at('fifo')]);
  symlinkSync('/dev/zero', at('link'));
  for (const path of [at('fifo'), at('link'), '/dev/zero', at('.')])
    expect(() => readGivenText(path, 10)).toThrow(`${path} is not a regular file`);
});

test.each([
  ['nowhere', 'ENOENT'],
  ['round', 'ELOOP'],
])('a link that leads %s is told by its name', (target, code) => {
  symlinkSync(target, at('round'));
  expect(() => readGivenText(at('round'), 10)).toThrow(`${code}: `);
});

test('what is not UTF-8 is no text', () => {
  writeFileSync(at('file'), new Uint8Array([0x61, 0xff]));
  expect(() => readGivenText(at('file'), 10)).toThrow(`${at('file')} is not text in UTF-8`);
  expect([...readGivenBytes(at('file'), 10)]).toEqual([0x61, 0xff]);
});

test('a pipe that a program was started with is read to its end, however slow its writer is', () => {
  const program = `import { readGivenText } from '${import.meta.dirname}/../../../src/os/given-file.ts';
    process.stdout.write(readGivenText('/dev/stdin', 10));`;
  put('program.mts', program);
  const command = `(printf a; sleep 0.2; printf b) | ${process.execPath} --import tsx ${at('program.mts')}`;
  const { stdout, stderr } = spawnSync('sh', ['-c', command], { encoding: 'utf8' });
  expect({ stdout, stderr }).toEqual({ stdout: 'ab', stderr: '' });
});
