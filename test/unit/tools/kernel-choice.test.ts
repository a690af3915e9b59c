import { describe, expect, it } from 'vitest';
import { chooseKernel } from '../../../tools/kernel-choice.ts';

describe('the kernel of the image', () => {
  it("is ours where it has been made, and Debian's before", () => {
    expect(chooseKernel(undefined, undefined)).toBe('debian');
    expect(chooseKernel('', 'own-1')).toBe('own-1');
  });

  it('is the one that is named', () => {
    expect(chooseKernel('debian', 'own-1')).toBe('debian');
    expect(chooseKernel('own', 'own-1')).toBe('own-1');
  });

  it('is not ours before it is made, and no other', () => {
    expect(() => chooseKernel('own', undefined)).toThrow('npm run build:kernel');
    expect(() => chooseKernel('vanilla', 'own-1')).toThrow('RKT_KERNEL is vanilla, not debian or own');
  });
});
