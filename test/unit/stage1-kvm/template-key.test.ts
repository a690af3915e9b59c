import { describe, expect, it } from 'vitest';
import type { SavedDevices } from '../../../src/abi/templates.ts';
import { type TemplateFacts, templateFacts, templateKey } from '../../../stage1-kvm/template-key.ts';

const file = (size: number, seconds = 1) => ({ size, modified: { seconds, nanoseconds: 5 } });
const facts: TemplateFacts = {
  stage1: 'sha512-a',
  kernel: file(10),
  initramfs: file(20),
  qemu: { path: '/usr/bin/qemu', ...file(30) },
  cpuInfo: 'processor\t: 0\nmodel name\t: A\nflags\t\t: fpu vme\ncpu MHz\t\t: 2000.1\n\nprocessor\t: 1\n',
  kernelRelease: '6.1',
  hasVhost: false,
};
const devices = { interfaces: 1, disks: [], scratchBytes: null };
const size = { cpus: 1, memoryMiB: 384 };
const key = (
  change: Partial<TemplateFacts> = {},
  accelerator: 'tcg' | 'kvm' = 'tcg',
  saved: SavedDevices = devices,
) => templateKey(templateFacts({ accelerator, size, devices: saved }, { ...facts, ...change }));

describe('the key of a template', () => {
  it('is a name without a dot', () => {
    expect(key()).toMatch(/^[0-9a-f]{16}$/);
    expect(key()).toBe(key());
  });

  it.each([
    ['stage1', { stage1: 'sha512-b' }],
    ['kernel', { kernel: file(11) }],
    ['initramfs', { initramfs: file(20, 2) }],
    ['QEMU', { qemu: { path: '/usr/bin/qemu', ...file(30, 2) } }],
    ['place of QEMU', { qemu: { path: '/usr/local/bin/qemu', ...file(30) } }],
    ['processor', { cpuInfo: facts.cpuInfo.replace(': A', ': B') }],
    ['way of its packets', { hasVhost: true }],
    ["processor's abilities", { cpuInfo: facts.cpuInfo.replace('vme', 'vmx') }],
  ] as const)('is another one for another %s', (_, change) => {
    expect(key(change)).not.toBe(key());
  });

  it('does not ask how fast the processor happens to be', () => {
    expect(key({ cpuInfo: facts.cpuInfo.replace('2000.1', '3000.2') })).toBe(key());
  });

  it("depends on the host's kernel where that is the hypervisor, or has the other ends of interfaces", () => {
    const none = { interfaces: 0, disks: [], scratchBytes: null };
    expect(key({ kernelRelease: '6.2' }, 'tcg', none)).toBe(key({}, 'tcg', none));
    expect(key({ kernelRelease: '6.2' }, 'kvm', none)).not.toBe(key({}, 'kvm', none));
    expect(key({ kernelRelease: '6.2' })).not.toBe(key());
  });
});
