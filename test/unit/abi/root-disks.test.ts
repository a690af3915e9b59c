import { describe, expect, it } from 'vitest';
import { LEAST_SCRATCH_BYTES, type PodRootsPlan, parsePodRoots } from '../../../src/abi/root-disks.ts';

const DISKS: PodRootsPlan = {
  version: 1,
  kind: 'block',
  scratchBytes: LEAST_SCRATCH_BYTES,
  images: ['/a/image.erofs', '/b/image.erofs'],
  apps: [{ name: 'app', layers: [1, 0] }],
};

const SEAL = { blocks: 1, salt: 'a'.repeat(64), rootHash: 'b'.repeat(64) };
const SEALED: PodRootsPlan = { ...DISKS, seals: [SEAL, SEAL] };

describe('parsePodRoots', () => {
  it.each<PodRootsPlan>([DISKS, SEALED, { version: 1, kind: 'virtiofs', reason: 'it is so' }])(
    'reads %j',
    (plan) => {
      expect(parsePodRoots(JSON.parse(JSON.stringify(plan)))).toEqual(plan);
    },
  );

  it.each([
    [{ ...DISKS, apps: [{ name: 'app', layers: [2] }] }, /layers\[0\]: expected an integer from 0 to 1/],
    [{ ...DISKS, scratchBytes: 1 }, /scratchBytes: expected an integer/],
    [{ ...DISKS, images: Array(8).fill('/x') }, /images: expected a list of at most 7/],
    [{ ...DISKS, seals: [SEAL] }, '2 images have 1 seals'],
    [{ ...DISKS, seals: [SEAL, { ...SEAL, blocks: 0 }] }, /seals\[1\].blocks: expected an integer/],
    [{ ...DISKS, seals: [SEAL, { ...SEAL, salt: 'aa bb' }] }, /seals\[1\].salt: no 64 digits/],
    [{ ...DISKS, kind: 'nfs' }, /kind: expected one of virtiofs, block/],
    [{ ...DISKS, version: 2 }, /version/],
  ])('refuses %j', (plan, message) => {
    expect(() => parsePodRoots(plan)).toThrow(message);
  });
});
