import { describe, expect, it } from 'vitest';
import {
  machineWords,
  restoredArguments,
  type SavedMachine,
  SHARE_DEVICE,
  templateArguments,
} from '../../../stage1-kvm/template-arguments.ts';
import { QEMU_FDS } from '../../../stage1-kvm/vmm.ts';

const machine: SavedMachine = { accelerator: 'tcg', size: { cpus: 2, memoryMiB: 384 } };
const kernel = { tscKilohertz: 2596142, debug: false, extraKernelParameters: '' };
const saved = templateArguments({ ...machine, ...kernel });
const deviceArguments = ['-netdev', 'tap,id=net0,fd=8', '-device', 'virtio-net-pci,netdev=net0'];
const restored = restoredArguments(machine, { uuid: 'a-pod', hasShare: true, deviceArguments });

function valuesOf(option: string, args: readonly string[]): string[] {
  return args.flatMap((argument, index) => (argument === option ? [args[index + 1] ?? ''] : []));
}

describe('a machine that is saved', () => {
  it('has its memory in a file of its own', () => {
    expect(valuesOf('-object', saved)).toEqual([
      'memory-backend-file,id=ram,size=384M,mem-path=/memory/ram,share=on',
    ]);
  });

  it('knows of no pod: no interface, no disk, no share', () => {
    expect(saved.join(' ')).not.toMatch(/netdev|blockdev|vhost|uuid/);
  });

  it('boots as any other', () => {
    expect(valuesOf('-append', saved)[0]).toContain('tsc_early_khz=2596142');
    expect(valuesOf('-kernel', saved)).toHaveLength(1);
  });
});

describe('a machine that is restored', () => {
  it.each(['-machine', '-global', '-accel', '-cpu', '-smp', '-m', '-object', '-serial', '-sandbox'])(
    'has the same %s as when it was saved',
    (option) => {
      expect(valuesOf(option, restored)).toEqual(valuesOf(option, saved));
      expect(valuesOf(option, restored)).not.toEqual([]);
    },
  );

  it('has its own devices after those that it was saved with', () => {
    const devices = valuesOf('-device', saved);
    expect(valuesOf('-device', restored)).toEqual([...devices, 'virtio-net-pci,netdev=net0']);
  });

  it('waits for its state, and needs no kernel', () => {
    expect(valuesOf('-incoming', restored)).toEqual(['defer']);
    expect(restored.join(' ')).not.toMatch(/-kernel|-initrd|-append/);
  });

  it('is given the share by a port that it was saved with', () => {
    expect(valuesOf('-device', saved).join(' ')).toContain(`pcie-root-port,id=${SHARE_DEVICE.bus},`);
    const share = `socket,id=${SHARE_DEVICE.chardev},fd=${QEMU_FDS.indexOf('share')}`;
    expect(valuesOf('-chardev', restored)).toContain(share);
    expect(valuesOf('-chardev', saved)).not.toContain(share);
  });
});

describe('machineWords', () => {
  it('say all that the machines have in common', () => {
    expect(machineWords(machine)).toEqual(expect.arrayContaining(valuesOf('-machine', saved)));
    expect(machineWords(machine)).not.toEqual(machineWords({ ...machine, accelerator: 'kvm' }));
    for (const size of [
      { cpus: 1, memoryMiB: 384 },
      { cpus: 2, memoryMiB: 256 },
    ])
      expect(machineWords(machine)).not.toEqual(machineWords({ ...machine, size }));
  });
});
