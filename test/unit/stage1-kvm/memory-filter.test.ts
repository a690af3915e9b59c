import { describe, expect, it } from 'vitest';
import { MEMORY_FD, memoryFilter } from '../../../stage1-kvm/memory-filter.ts';
import { QEMU_FDS } from '../../../stage1-kvm/vmm.ts';
import { checkFilter, runFilter } from '../../support/bpf.ts';

const X86_64 = 0xc000003e;
const I386 = 0x40000003;
const NUMBERS = { close: 3, openat: 257, fallocate: 285 };
const [O_RDONLY, O_RDWR, O_CLOEXEC] = [0n, 2n, 0o2000000n];
const AT_FDCWD = 0xffffff9cn;
const PUNCH_HOLE = 3n;
const ALLOWED = 0x7fff0000;
/** SECCOMP_RET_ERRNO with no error: the call gives 0. */
const ZERO = 0x00050000;

function judge(name: keyof typeof NUMBERS, args: readonly bigint[], architecture = X86_64): number {
  return runFilter(memoryFilter(), { number: NUMBERS[name], architecture, args }).action;
}

describe('memoryFilter', () => {
  it('is one that the kernel takes, and stands for an fd that means nothing else', () => {
    checkFilter(memoryFilter());
    expect(QEMU_FDS[MEMORY_FD]).toBe('stdin');
  });

  it('answers who opens for writing with the fd of the memory', () => {
    expect(judge('openat', [AT_FDCWD, 0x1000n, O_RDWR, 0n])).toBe(ZERO | MEMORY_FD);
  });

  it('takes memory out of no file, and keeps that file open', () => {
    expect(judge('fallocate', [BigInt(MEMORY_FD), PUNCH_HOLE, 0n, 4096n])).toBe(ZERO);
    expect(judge('close', [BigInt(MEMORY_FD)])).toBe(ZERO);
  });

  it.each([
    ['reading', 'openat', [AT_FDCWD, 0x1000n, O_RDONLY, 0n]],
    ['what is not to be inherited', 'openat', [AT_FDCWD, 0x1000n, O_RDWR | O_CLOEXEC, 0n]],
    ['what a guest gives back of its disk', 'fallocate', [9n, PUNCH_HOLE, 0n, 4096n]],
    ['closing any other', 'close', [9n]],
  ] as const)('leaves %s alone', (_, name, args) => {
    expect(judge(name, args)).toBe(ALLOWED);
  });

  it('knows the numbers of one architecture', () => {
    expect(judge('openat', [AT_FDCWD, 0x1000n, O_RDWR, 0n], I386)).toBe(ALLOWED);
  });
});
