import { describe, expect, it } from 'vitest';
import { LEAST_SCRATCH_BYTES, type PodRootsPlan, parsePodRoots } from '../../../src/abi/root-disks.ts';

const DISKS: PodRootsPlan = {
  version: 1,
  kind: 'block',
  scratchBytes: LEAST_SCRATCH_BYTES,
  images: ['/a/image.erofs', '/b/image.erofs'],
  apps: [{ name: 'app', layers: [1, 0] }],
};

describe('parsePodRoots', () => {
  it.each<PodRootsPlan>([DISKS, { version: 1, kind: 'virtiofs', reason: 'it is so' }])('reads %j', (plan) => {
    expect(parsePodRoots(JSON.parse(JSON.stringify(plan)))).toEqual(plan);
  });

  it.each([
    [{ ...DISKS, apps: [{ name: 'app', layers: [2] }] }, /layers\[0\]: expected an integer from 0 to 1/],
    [{ ...DISKS, scratchBytes: 1 }, /scratchBytes: expected an integer/],
    [{ ...DISKS, images: Array(8).fill('/x') }, /images: expected a list of at most 7/],
    [{ ...DISKS, kind: 'nfs' }, /kind: expected one of virtiofs, block/],
    [{ ...DISKS, version: 2 }, /version/],
  ])('refuses %j', (plan, message) => {
    expect(() => parsePodRoots(plan)).toThrow(message);
  });
});
