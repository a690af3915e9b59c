import { describe, expect, it } from 'vitest';
import { MOST_ROOT_IMAGES } from '../../../src/abi/root-disks.ts';
import { planImages } from '../../../src/stage0/root-disks-plan.ts';

const chain = (name: string, depth: number) => Array.from({ length: depth }, (_, n) => `${name}${n}`);

describe('planImages', () => {
  it('gives each layer a disk, and names an app’s from the top', () => {
    expect(planImages([{ name: 'a', layers: ['base', 'mid', 'top'] }])).toEqual({
      images: [['base'], ['mid'], ['top']],
      apps: [{ name: 'a', layers: [2, 1, 0] }],
    });
  });

  it('gives apps with common layers common disks', () => {
    const plan = planImages([
      { name: 'a', layers: ['base', 'one'] },
      { name: 'b', layers: ['base', 'two'] },
      { name: 'c', layers: [] },
    ]);
    expect(plan).toEqual({
      images: [['base'], ['one'], ['two']],
      apps: [
        { name: 'a', layers: [1, 0] },
        { name: 'b', layers: [2, 0] },
        { name: 'c', layers: [] },
      ],
    });
  });

  it('makes one disk of the deepest images until all have room', () => {
    const plan = planImages([
      { name: 'deep', layers: chain('d', 12) },
      { name: 'again', layers: chain('d', 12) },
      { name: 'flat', layers: chain('f', 3) },
    ]);
    expect(plan?.images).toEqual([chain('d', 12), ['f0'], ['f1'], ['f2']]);
    expect(plan?.apps.map(({ layers }) => layers)).toEqual([[0], [0], [3, 2, 1]]);
  });

  it('has no more disks than a machine is given', () => {
    const apps = (count: number) => chain('x', count).map((name) => ({ name, layers: chain(name, 2) }));
    expect(planImages(apps(MOST_ROOT_IMAGES))?.images).toHaveLength(MOST_ROOT_IMAGES);
    expect(planImages(apps(MOST_ROOT_IMAGES + 1))).toBeUndefined();
  });
});
