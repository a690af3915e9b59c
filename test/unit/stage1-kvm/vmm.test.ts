import { describe, expect, it } from 'vitest';
import {
  kernelParameters,
  type MachinePlan,
  QEMU_FDS,
  qemuArguments,
  virtiofsdArguments,
} from '../../../stage1-kvm/vmm.ts';

const plan: MachinePlan = {
  uuid: '6733C088-A507-4694-AABF-EDBE4FC5266F',
  accelerator: 'tcg',
  size: { cpus: 2, memoryMiB: 384 },
  firmware: '/usr/share/qemu/qboot.rom',
  tscKilohertz: 2596142,
  debug: false,
  extraKernelParameters: '',
  hasShare: true,
  deviceArguments: [],
};

/** The values of an option, in order. */
function valuesOf(option: string, args: readonly string[]): string[] {
  return args.flatMap((argument, index) => (argument === option ? [args[index + 1] ?? ''] : []));
}

describe('qemuArguments', () => {
  const args = qemuArguments(plan);

  it('has nothing but what it names', () => {
    expect(args).toEqual(expect.arrayContaining(['-nodefaults', '-no-user-config', '-no-reboot']));
    expect(valuesOf('-display', args)).toEqual(['none']);
    expect(valuesOf('-sandbox', args)).toEqual([
      'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny',
    ]);
  });

  it('has as much memory in the shared backend as in the machine', () => {
    expect(valuesOf('-m', args)).toEqual(['384M']);
    expect(valuesOf('-object', args)).toEqual(['memory-backend-memfd,id=ram,size=384M,share=on']);
    expect(valuesOf('-smp', args)).toEqual(['2']);
  });

  it('is given every channel as an open descriptor', () => {
    const channels = valuesOf('-chardev', args);
    expect(channels).toHaveLength(5);
    for (const channel of channels) {
      const [, name, fd] = /^socket,id=(\w+),fd=(\d+)$/.exec(channel) ?? [];
      expect(QEMU_FDS[Number(fd)]).toBe(name);
    }
    expect(args.join(' ')).not.toMatch(/path=|server/);
  });

  it('has no share where there is nothing to share, and the same numbers for all else', () => {
    const without = qemuArguments({ ...plan, hasShare: false });
    const isShare = (argument: string) =>
      /share,|virtio-fs|vhost-user/.test(argument) && !argument.startsWith('memory');
    expect(without.filter(isShare)).toEqual([]);
    expect(args.filter(isShare)).toHaveLength(2);
    expect(valuesOf('-chardev', without)).toEqual(
      valuesOf('-chardev', args).filter((channel) => !channel.includes('id=share')),
    );
  });

  it.each([
    ['tcg', 'tcg,tb-size=64', 'max,-erms,-fsrm'],
    ['kvm', 'kvm', 'host'],
  ] as const)('%s is %s with the processor %s', (accelerator, acceleration, cpu) => {
    const chosen = qemuArguments({ ...plan, accelerator });
    expect(valuesOf('-accel', chosen)).toEqual([acceleration]);
    expect(valuesOf('-cpu', chosen)).toEqual([cpu]);
  });
});

describe('kernelParameters', () => {
  it('says nothing of the pod', () => {
    const other: MachinePlan = { ...plan, uuid: 'other', size: { cpus: 1, memoryMiB: 1 } };
    expect(kernelParameters(other)).toBe(kernelParameters(plan));
  });

  it.each([
    ['silent', {}, ['quiet', 'loglevel=1', 'oops=panic'], ['loglevel=7']],
    ['debugged', { debug: true }, ['loglevel=7'], ['quiet', 'loglevel=1']],
    ['in emulation', {}, ['tsc_early_khz=2596142', 'mitigations=off'], []],
    ['of unknown frequency', { tscKilohertz: undefined }, ['tsc=reliable'], ['tsc_early_khz=undefined']],
    [
      'with hardware',
      { accelerator: 'kvm' },
      ['panic=-1'],
      ['tsc_early_khz=2596142', 'mitigations=off', 'tsc=reliable'],
    ],
    ['with more', { extraKernelParameters: ' a=1  b ' }, ['a=1', 'b'], ['']],
  ] as const)('%s', (_, change, present, absent) => {
    const parameters = kernelParameters({ ...plan, ...change }).split(' ');
    expect(parameters).toEqual(expect.arrayContaining([...present]));
    for (const parameter of absent) expect(parameters).not.toContain(parameter);
  });
});

describe('virtiofsdArguments', () => {
  it.each([
    ['c', ['--fd=3', '-o', 'source=/share']],
    ['rust', ['--fd=3', '--shared-dir=/share', '--sandbox=chroot', '--xattr', '--announce-submounts']],
  ] as const)('of %s', (kind, expected) => {
    const args = virtiofsdArguments({ kind, path: '/virtiofsd' }, 'auto');
    expect(args).toEqual(expect.arrayContaining([...expected]));
    expect(args.join(' ')).toMatch(/sandbox=chroot.*announce[-_]submounts/);
    expect(args.join(' ')).toMatch(/cache=auto/);
    expect(args.join(' ')).not.toMatch(/modcaps|sys_admin/);
  });
});
