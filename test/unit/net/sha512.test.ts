import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { chainsOf } from '../../../src/net/chain-names.ts';
import { sha512 } from '../../../src/net/sha512.ts';

describe('SHA-512', () => {
  it.each([0, 1, 3, 63, 111, 112, 127, 128, 129, 300])('of %d bytes is what Node computes', (length) => {
    const bytes = Uint8Array.from({ length }, (_, index) => (index * 7 + length) % 256);
    expect(sha512(bytes)).toBe(createHash('sha512').update(bytes).digest('hex'));
  });
});

describe('chains of a container', () => {
  it('have the names that the reference plugins give them', () => {
    // As `ptp`, `bridge` and `portmap` 1.1.1 have made them.
    expect(chainsOf('bridged', 'container1')).toEqual([
      'CNI-431f855d5ea95a98aaa3c23d',
      'CNI-DN-431f855d5ea95a98aaa3c',
      'CNI-SN-431f855d5ea95a98aaa3c',
    ]);
  });
});
