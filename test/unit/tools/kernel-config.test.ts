import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { droppedOptions, formatOptions, optionsOf, parseKernelConfig } from '../../../tools/kernel-config.ts';
import { KERNEL_CONFIG } from '../../../tools/own-kernel.ts';

const TEXT = `# A preface,
# of two lines.

# Machine
CONFIG_LOCALVERSION="-x"   # its name
CONFIG_NR_CPUS=256         # as many as there are

# Network
CONFIG_INET=y              # IP
`;

describe('the configuration of our kernel', () => {
  it('is sections of options, each with its reason', () => {
    const sections = parseKernelConfig(TEXT);
    expect(sections.map(({ title }) => title)).toEqual(['Machine', 'Network']);
    expect(optionsOf(sections)).toEqual([
      { name: 'CONFIG_LOCALVERSION', value: '"-x"', reason: 'its name' },
      { name: 'CONFIG_NR_CPUS', value: '256', reason: 'as many as there are' },
      { name: 'CONFIG_INET', value: 'y', reason: 'IP' },
    ]);
  });

  it('is given to kconfig without the reasons', () => {
    const text = formatOptions(optionsOf(parseKernelConfig(TEXT)));
    expect(text).toBe('CONFIG_LOCALVERSION="-x"\nCONFIG_NR_CPUS=256\nCONFIG_INET=y\n');
  });

  it.each([
    ['an option without a reason', '# A\nCONFIG_A=y\n', 'no option with its reason: CONFIG_A=y'],
    ['a module', '# A\nCONFIG_A=m # b\n', 'no option with its reason: CONFIG_A=m # b'],
    ['what is off', '# A\n# CONFIG_A is not set\nCONFIG_B=y # b\n', 'reason: # CONFIG_A is not set'],
    ['a section without a title', 'CONFIG_A=y # b\n', 'begins with its title, not with CONFIG_A=y # b'],
    ['options out of order', '# A\nCONFIG_B=y # b\nCONFIG_A=y # a\n', 'CONFIG_A comes after CONFIG_B'],
    ['an option twice', '# A\nCONFIG_A=y # a\n\n# B\nCONFIG_A=y # a\n', 'CONFIG_A is there twice'],
  ])('has not %s', (_, text, message) => {
    expect(() => parseKernelConfig(text)).toThrow(message);
  });

  it('is compared with what kconfig has made of it', () => {
    const options = optionsOf(parseKernelConfig(TEXT));
    const resolved = 'CONFIG_LOCALVERSION="-x"\nCONFIG_NR_CPUS=64\n# CONFIG_INET is not set\n';
    expect(droppedOptions(options, resolved).map(({ name }) => name)).toEqual([
      'CONFIG_NR_CPUS',
      'CONFIG_INET',
    ]);
    expect(droppedOptions(options, formatOptions(options))).toEqual([]);
  });

  it('is one of those itself, and has neither modules nor what reads memory of the kernel', () => {
    const names = new Set(
      optionsOf(parseKernelConfig(readFileSync(KERNEL_CONFIG, 'utf8'))).map(({ name }) => name),
    );
    for (const wanted of [
      'PVH',
      'VIRTIO_FS',
      'DM_VERITY',
      'EROFS_FS_SECURITY',
      'EXT4_FS_SECURITY',
      'SECCOMP_FILTER',
    ])
      expect(names).toContain(`CONFIG_${wanted}`);
    for (const unwanted of ['MODULES', 'DEVMEM', 'KALLSYMS', 'KEXEC', 'DEBUG_FS'])
      expect(names).not.toContain(`CONFIG_${unwanted}`);
  });
});
