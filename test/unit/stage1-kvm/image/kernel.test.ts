import { describe, expect, it } from 'vitest';
import { kernelRelease } from '../../../../stage1-kvm/image/kernel.ts';

describe('a kernel', () => {
  it('says its release', () => {
    const bytes = Buffer.from('\0%s version %s\0Linux version 6.12.1-x (a@b) (gcc) #1\n\0');
    expect(kernelRelease(bytes)).toBe('6.12.1-x');
  });

  it('is none without', () => {
    expect(() => kernelRelease(Buffer.from('no kernel'))).toThrow('kernel does not say its release');
  });
});
