import { describe, expect, it } from 'vitest';
import { type Architecture, callsOf, isKnownCall } from '../../../../src/supervisor/seccomp/architectures.ts';

describe('callsOf', () => {
  it.each<[Architecture, Record<string, number | undefined>]>([
    [
      'x86-64',
      {
        read: 0,
        execve: 59,
        exit_group: 231,
        openat2: 437,
        set_mempolicy_home_node: 450,
        chown32: undefined,
      },
    ],
    ['i386', { restart_syscall: 0, read: 3, execve: 11, socketcall: 102, clock_gettime64: 403, clone3: 435 }],
    [
      'arm64',
      {
        io_setup: 0,
        read: 63,
        execve: 221,
        newfstatat: 79,
        memfd_secret: 447,
        open: undefined,
        fork: undefined,
      },
    ],
  ])('has the numbers of %s', (architecture, some) => {
    const { numbers } = callsOf(architecture);
    expect(Object.fromEntries(Object.keys(some).map((name) => [name, numbers.get(name)]))).toEqual(some);
  });

  it.each<[Architecture, number]>([
    ['x86-64', 362],
    ['i386', 440],
    ['arm64', 306],
  ])('has each call of %s once', (architecture, count) => {
    const { numbers, end } = callsOf(architecture);
    expect(numbers.size).toBe(count);
    expect(new Set(numbers.values()).size).toBe(count);
    expect(end).toBe(Math.max(...numbers.values()) + 1);
  });
});

describe('isKnownCall', () => {
  it.each([
    ['read', true],
    ['socketcall', true],
    ['arm_fadvise64_64', true],
    ['opne', false],
    ['', false],
    ['constructor', false],
  ])('%j: %s', (name, known) => {
    expect(isKnownCall(name)).toBe(known);
  });
});
