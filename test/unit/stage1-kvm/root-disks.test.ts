import { describe, expect, it } from 'vitest';
import { LEAST_SCRATCH_BYTES, type RootDisksPlan } from '../../../src/abi/root-disks.ts';
import { blockRoot, rootDiskPlans } from '../../../stage1-kvm/root-disks.ts';

const plan: RootDisksPlan = {
  version: 1,
  kind: 'block',
  scratchBytes: LEAST_SCRATCH_BYTES,
  images: ['/layer/a/disk/image.erofs', '/layer/b/disk/image.erofs'],
  apps: [
    { name: 'one', layers: [1, 0] },
    { name: 'two', layers: [0] },
  ],
};

describe('the disks of a machine', () => {
  it('are its images, in order, and the scratch disk', () => {
    expect(rootDiskPlans(plan, () => 'kvm')).toEqual([
      { serial: 'image-0', kind: 'image', seal: null },
      { serial: 'image-1', kind: 'image', seal: null },
      { serial: 'scratch', kind: 'scratch' },
    ]);
  });

  it.each([
    ['kvm', 'sha256'],
    // Of the fastest for a processor: an emulated one has the slowest instructions for it.
    ['tcg', 'sha256-generic'],
  ] as const)('are checked where they have seals: with %s by %s', (accelerator, algorithm) => {
    const seals = plan.images.map(() => ({ blocks: 1, salt: 'aa', rootHash: 'bb' }));
    const disks = rootDiskPlans({ ...plan, seals }, () => accelerator);
    expect(disks.slice(0, 2)).toEqual(
      seals.map((seal, index) => ({
        serial: `image-${index}`,
        kind: 'image',
        seal: { ...seal, algorithm },
      })),
    );
  });

  it('are known by their serial numbers, of no more than the twenty bytes that a disk may have', () => {
    for (const { serial } of rootDiskPlans({ images: Array<string>(7).fill('/x') }, () => 'kvm'))
      expect(serial.length).toBeLessThanOrEqual(20);
  });

  it('are an app’s root, the top layer first; an app that nobody planned has none', () => {
    expect(blockRoot(plan, 'one')).toEqual({
      ...{ kind: 'block', app: 'one', scratch: 'scratch' },
      layers: ['image-1', 'image-0'],
    });
    expect(() => blockRoot(plan, 'three')).toThrow('root-disks.json: there is no app three');
  });
});
