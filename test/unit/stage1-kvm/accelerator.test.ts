import { describe, expect, it } from 'vitest';
import { chooseAccelerator, parseCpuInfo } from '../../../stage1-kvm/accelerator.ts';

const able = { flags: ['fpu', 'vmx'], kvmRefusal: undefined };
const disabled = { flags: ['fpu'], kvmRefusal: undefined };
const closed = { flags: ['svm'], kvmRefusal: 'ENOENT: no such file or directory' };

describe('chooseAccelerator', () => {
  it.each([
    ['hardware', { ...able, wanted: undefined }, 'kvm', undefined],
    ['hardware, asked for', { ...able, wanted: 'kvm' }, 'kvm', undefined],
    ['hardware, but software asked for', { ...able, wanted: 'tcg' }, 'tcg', undefined],
    ['no extension', { ...disabled, wanted: undefined }, 'tcg', /no hardware virtualization .*vmx or svm/],
    ['no device', { ...closed, wanted: '' }, 'tcg', /\/dev\/kvm does not open: ENOENT/],
    ['neither, and software asked for', { ...disabled, wanted: 'tcg' }, 'tcg', undefined],
  ])('%s', (_, host, accelerator, warning) => {
    const choice = chooseAccelerator(host);
    expect(choice.accelerator).toBe(accelerator);
    if (warning === undefined) expect(choice.warning).toBeUndefined();
    else expect(choice.warning).toMatch(warning);
  });

  it.each([
    ['kvm without vmx or svm', { ...disabled, wanted: 'kvm' }, /=kvm, but the processor has no/],
    ['kvm without the device', { ...closed, wanted: 'kvm' }, /=kvm, but \/dev\/kvm does not open/],
    ['another word', { ...able, wanted: 'hvf' }, /is kvm or tcg, not "hvf"/],
  ])('refuses %s', (_, host, message) => {
    expect(() => chooseAccelerator(host)).toThrow(message);
  });
});

describe('parseCpuInfo', () => {
  it('finds flags, processors and frequency', () => {
    const text = [0, 1]
      .map((n) => `processor\t: ${n}\ncpu MHz\t\t: 2596.142\nflags\t\t: fpu vme svm\nbugs\t\t:\n`)
      .join('\n');
    expect(parseCpuInfo(text)).toEqual({ flags: ['fpu', 'vme', 'svm'], count: 2, kilohertz: 2596142 });
  });

  it('gets by without', () => {
    expect(parseCpuInfo('')).toEqual({ flags: [], count: 1, kilohertz: undefined });
  });
});
