import { describe, expect, it } from 'vitest';
import { canHaveSpares } from '../../../stage1-kvm/saved-devices.ts';

describe('spares there can be of machines', () => {
  it.each([
    { interfaces: 0, disks: ['scratch'], scratchBytes: 4096 },
    { interfaces: 1, disks: ['read', 'scratch'], scratchBytes: 4096 },
    { interfaces: 8, disks: ['read', 'read', 'read', 'scratch'], scratchBytes: 4096 },
  ] as const)('whose disks are images and one to write to: %j', (devices) => {
    expect(canHaveSpares(devices)).toBe(true);
  });

  it.each([
    { interfaces: 9, disks: ['read', 'scratch'], scratchBytes: 4096 },
    { interfaces: 1, disks: [], scratchBytes: null },
    { interfaces: 1, disks: ['read'], scratchBytes: null },
    { interfaces: 1, disks: ['write', 'scratch'], scratchBytes: 4096 },
  ] as const)('and of no others: %j', (devices) => {
    expect(canHaveSpares(devices)).toBe(false);
  });
});
