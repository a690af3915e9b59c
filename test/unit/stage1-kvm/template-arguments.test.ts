import { describe, expect, it } from 'vitest';
import { diskArguments } from '../../../stage1-kvm/disks.ts';
import { interfaceArguments } from '../../../stage1-kvm/interface-arguments.ts';
import {
  machineWords,
  restoredArguments,
  SAVED_PARAMETERS,
  type SavedMachine,
  SHARE_DEVICE,
  templateArguments,
} from '../../../stage1-kvm/template-arguments.ts';
import { QEMU_FDS } from '../../../stage1-kvm/vmm.ts';

const devices = { interfaces: 1, disks: ['read', 'scratch'], scratchBytes: 4096 } as const;
const machine: SavedMachine = { accelerator: 'tcg', size: { cpus: 2, memoryMiB: 384 }, devices };
const scratch = { fd: 50, kind: 'file', serial: 'scratch', readOnly: false, isPassing: true } as const;
const standIns = { interfaces: [{ taps: [40, 41], vhosts: [] }], scratch };
const kernel = { tscKilohertz: 2596142, debug: false, extraKernelParameters: SAVED_PARAMETERS };
const saved = templateArguments({ ...machine, ...kernel }, standIns);
const first = QEMU_FDS.length;
const mac = '0a:01:02:03:04:05';
const layer = { fd: 60, kind: 'file', serial: 'image-0', readOnly: true } as const;
const deviceArguments = [
  ...interfaceArguments([{ mac, taps: [30, 31], vhosts: [] }], first, 'tcg'),
  ...diskArguments([layer, scratch], first + 2),
];
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

  it('knows of no pod, and has no share', () => {
    expect(saved.join(' ')).not.toMatch(/vhost|uuid|image-0/);
  });

  it('has something in the place of what its restored selves will have', () => {
    const blockdevs = valuesOf('-blockdev', saved);
    expect(blockdevs[0]).toMatch(/^driver=null-co,node-name=disk0,read-only=on,.*read-zeroes=on$/);
    // What is on it is saved: it is the same disk.
    expect(blockdevs[1]).toBe(valuesOf('-blockdev', restored)[1]);
    expect(valuesOf('-netdev', saved)).toEqual([`tap,id=net0,fds=${first}:${first + 1}`]);
    expect(valuesOf('-add-fd', saved)).toEqual([`fd=${first + 2},set=1`]);
  });

  it('boots as any other', () => {
    expect(valuesOf('-append', saved)[0]).toContain('tsc_early_khz=2596142');
    expect(machineWords(machine, false).at(-1)).toContain(SAVED_PARAMETERS);
    expect(valuesOf('-kernel', saved)).toHaveLength(1);
  });
});

describe('a machine that is restored', () => {
  it.each(['-machine', '-accel', '-cpu', '-smp', '-m', '-object', '-serial', '-sandbox'])(
    'has the same %s as when it was saved',
    (option) => {
      expect(valuesOf(option, restored)).toEqual(valuesOf(option, saved));
      expect(valuesOf(option, restored)).not.toEqual([]);
    },
  );

  it('has the same settings of its devices, and announces no addresses: those that it comes with are of no pod', () => {
    const quiet = 'migration.announce-rounds=0';
    expect(valuesOf('-global', restored)).toEqual([...valuesOf('-global', saved), quiet]);
    expect(valuesOf('-global', saved)).not.toEqual([]);
  });

  it('has devices of the same kinds in the same places, which say themselves whose they are', () => {
    const own = (args: readonly string[]) =>
      valuesOf('-device', args).map((device) => device.replace(/(mac|serial)=[^,]*/, '$1='));
    expect(own(restored)).toEqual(own(saved));
    expect(valuesOf('-device', restored).join(' ')).toContain(`mac=${mac},`);
    expect(valuesOf('-device', restored).join(' ')).toContain('serial=image-0,');
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

describe('the memory of a machine that is restored', () => {
  it('is the same file as when it was saved; without a share, mapped for QEMU alone', () => {
    const own = restoredArguments(machine, { uuid: 'a-pod', hasShare: false, deviceArguments });
    const [shared] = valuesOf('-object', restored);
    expect(shared).toContain('share=on');
    expect(valuesOf('-object', own)).toEqual([shared?.replace('share=on', 'share=off')]);
  });
});

describe('machineWords', () => {
  it('say all that the machines have in common', () => {
    expect(machineWords(machine, false)).toEqual(expect.arrayContaining(valuesOf('-machine', saved)));
    expect(machineWords(machine, false)).not.toEqual(machineWords(machine, true));
    expect(machineWords(machine, false)).not.toEqual(machineWords({ ...machine, accelerator: 'kvm' }, false));
    for (const size of [
      { cpus: 1, memoryMiB: 384 },
      { cpus: 2, memoryMiB: 256 },
    ])
      expect(machineWords(machine, false)).not.toEqual(machineWords({ ...machine, size }, false));
    for (const other of [
      { ...devices, interfaces: 2 },
      { ...devices, scratchBytes: 8192 },
      { ...devices, disks: ['write', 'scratch'] as const },
    ])
      expect(machineWords(machine, false)).not.toEqual(machineWords({ ...machine, devices: other }, false));
  });
});
