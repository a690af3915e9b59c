import { describe, expect, it } from 'vitest';
import { isEmptyQuota, limitsOf, withProject } from '../../../src/native/quotas.ts';

describe('quotas of projects, as the kernel has them', () => {
  it('are limits of blocks of 1024 bytes and of files, and say that they are both', () => {
    const fields = new BigUint64Array(limitsOf({ bytes: 8 * 1024 * 1024 + 1, files: 2048 }).buffer);
    expect([...fields]).toEqual([8193n, 0n, 0n, 2048n, 0n, 0n, 0n, 0n, 5n]);
  });

  it('are somebody’s where there is a limit or a file, whatever else they say', () => {
    const state = (field: number) => {
      const fields = new BigUint64Array(9);
      fields[field] = 1n;
      return new Uint8Array(fields.buffer);
    };
    expect([0, 1, 2, 3, 4, 5].map((field) => isEmptyQuota(state(field)))).toEqual(Array(6).fill(false));
    expect([6, 7, 8].map((field) => isEmptyQuota(state(field)))).toEqual(Array(3).fill(true));
  });

  it('come to a directory that keeps its other attributes, and hands its project on', () => {
    const fields = new Uint32Array([0x40, 4096, 3, 0, 8192, 0, 0]);
    const after = withProject(new Uint8Array(fields.buffer), 0x70000001);
    expect([...new Uint32Array(after.buffer)]).toEqual([0x240, 4096, 3, 0x70000001, 8192, 0, 0]);
  });
});
