import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseElf } from '../../../src/native/elf.ts';
import { useEngine } from '../../../src/native/engine.ts';
import { describeExecFailure, type Evidence } from '../../../src/native/exec-failure.ts';
import { pathOf, searchPath } from '../../../src/native/program-search.ts';
import { koffiEngine } from '../../support/koffi-syscall.ts';

useEngine(koffiEngine);

const ENOENT = 2;
const EACCES = 13;
const ENOEXEC = 8;
const ELOOP = 40;

function evidence(changes: Partial<Evidence> = {}): Evidence {
  return {
    kind: 'file',
    isLink: true,
    executable: true,
    head: new Uint8Array(0),
    exists: () => false,
    ...changes,
  };
}

describe('the way to a program', () => {
  test('PATH comes from the app’s environment', () => {
    expect(pathOf(['HOME=/', 'PATH=/a:/b'])).toBe('/a:/b');
    expect(pathOf([])).toMatch(/^\/usr\/local\/sbin:/);
  });
  test('each directory in turn, an empty one being the working directory', () => {
    expect(searchPath('x', '/a::/b')).toEqual(['/a/x', './x', '/b/x']);
  });
});

describe('an ELF file', () => {
  test('of this machine names its loader', () => {
    const elf = parseElf(readFileSync(process.execPath).subarray(0, 8192));
    expect(elf?.interpreter).toMatch(/^\/.*ld-/);
  });
  test('that is cut short or none at all is no program', () => {
    expect(parseElf(Buffer.from('\x7fELF'))).toBeUndefined();
    expect(parseElf(Buffer.alloc(100))).toBeUndefined();
  });
  test('with a table that leads outside has no loader', () => {
    const lying = Buffer.alloc(64);
    lying.set([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
    lying.writeBigUInt64LE(1n << 40n, 32);
    lying.writeUInt16LE(56, 54);
    lying.writeUInt16LE(65535, 56);
    expect(parseElf(lying)).toEqual({ machine: 0, interpreter: undefined });
  });
});

describe('why a program cannot start', () => {
  const because = (errno: number, changes: Partial<Evidence>) =>
    describeExecFailure('/x', errno, evidence(changes));
  test.each([
    [because(ENOENT, { kind: undefined, isLink: false }), '/x: no such file in the image'],
    [because(EACCES, { kind: 'directory' }), '/x: is a directory'],
    [because(EACCES, { executable: false }), '/x: is not executable'],
    [because(EACCES, {}), '/x: is on a file system or in a directory that forbids execution'],
    [
      because(ENOENT, { head: Buffer.from('#! /bin/none -x\n') }),
      '/x: its interpreter /bin/none (first line) is not in the image',
    ],
    [
      because(EACCES, { head: Buffer.from('#!/bin/none') }),
      '/x: its interpreter /bin/none cannot be executed',
    ],
    [because(ENOENT, {}), '/x: the kernel finds a part of it missing'],
    [because(ENOEXEC, {}), '/x: is empty or cannot be read'],
    [because(ELOOP, {}), '/x: ELOOP: too many levels of symbolic links'],
  ])('%s', (said, expected) => {
    expect(said).toBe(expected);
  });
});
