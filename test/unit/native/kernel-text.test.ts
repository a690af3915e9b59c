import { describe, expect, it } from 'vitest';
import { cgroupLayout, parseMemberships } from '../../../src/native/cgroup-layout.ts';
import { limitSettings } from '../../../src/native/cgroup-limits.ts';
import { groupBelow } from '../../../src/native/cgroups.ts';
import { mountTable, parseMountInfo } from '../../../src/native/mount-table.ts';
import { nativeScratch } from '../../support/native-scratch.ts';

nativeScratch();

const v1 = `31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd
`;
const unified = '41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n';
const v1Memberships = '4:memory:/user/a:b\n2:cpu,cpuacct:/\n1:name=systemd:/init\n';

describe('mount table', () => {
  it('reads every field', () => {
    const line =
      '36 35 98:0 /mnt1 /mnt/a\\040b rw,noatime shared:7 master:1 - ext3 /dev/r\\134oot rw,errors=continue\n';
    expect(parseMountInfo(line)).toEqual([
      {
        id: 36,
        parent: 35,
        device: '98:0',
        root: '/mnt1',
        target: '/mnt/a b',
        options: ['rw', 'noatime'],
        propagation: ['shared:7', 'master:1'],
        type: 'ext3',
        source: '/dev/r\\oot',
        superOptions: ['rw', 'errors=continue'],
      },
    ]);
  });

  it('takes a mount without optional fields, and refuses what is no mount', () => {
    expect(parseMountInfo('1 0 0:1 / / rw - rootfs none rw\n')[0]?.propagation).toEqual([]);
    expect(() => parseMountInfo('nonsense\n')).toThrow("bad mountinfo line 'nonsense'");
  });

  it("reads this machine's", () => {
    expect(mountTable().some((mount) => mount.target === '/')).toBe(true);
  });
});

describe('cgroup layout', () => {
  const layoutOf = (mounts: string, memberships: string) =>
    cgroupLayout(parseMountInfo(mounts), parseMemberships(memberships));

  it('finds v1 controllers, mounted together or apart', () => {
    expect(layoutOf(v1, v1Memberships)).toEqual({
      mode: 'v1',
      places: [
        { controller: 'memory', version: 1, directory: '/sys/fs/cgroup/memory/user/a:b' },
        { controller: 'cpu', version: 1, directory: '/sys/fs/cgroup/cpu,cpuacct' },
        { controller: 'cpuacct', version: 1, directory: '/sys/fs/cgroup/cpu,cpuacct' },
        { controller: 'name=systemd', version: 1, directory: '/sys/fs/cgroup/systemd/init' },
      ],
    });
  });

  it('knows hybrid and v2', () => {
    expect(layoutOf(v1 + unified, `${v1Memberships}0::/init\n`).mode).toBe('hybrid');
    const v2 = layoutOf(
      '30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n',
      '0::/user.slice/x\n',
    );
    expect(v2).toEqual({
      mode: 'v2',
      places: [{ controller: 'unified', version: 2, directory: '/sys/fs/cgroup/user.slice/x' }],
    });
    expect(layoutOf('', '0::/\n')).toEqual({ mode: 'none', places: [] });
  });

  it('takes a mount that shows only a part of the hierarchy', () => {
    const mount = '30 23 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n';
    expect(layoutOf(mount, '0::/docker/abc\n').places[0]?.directory).toBe('/sys/fs/cgroup');
    expect(layoutOf(mount, '0::/docker/abc/sub\n').places[0]?.directory).toBe('/sys/fs/cgroup/sub');
    expect(layoutOf(mount, '0::/elsewhere\n').places[0]?.directory).toBe('/sys/fs/cgroup');
  });
});

describe('cgroup limits', () => {
  const limits = { memoryBytes: 1024, cpuMillis: 500, processes: 10 };
  const v2 = { mode: 'v2', places: [{ controller: 'unified', version: 2, directory: '/cg' }] } as const;

  it('are v2 files in one directory', () => {
    expect(limitSettings(groupBelow(v2, ['memory', 'cpu', 'pids'], 'pod'), limits)).toEqual([
      { path: '/cg/pod/memory.max', text: '1024' },
      { path: '/cg/pod/cpu.max', text: '50000 100000' },
      { path: '/cg/pod/pids.max', text: '10' },
    ]);
    expect(limitSettings(groupBelow(v2, [], 'pod'), {})).toEqual([]);
  });

  it('are shares of processors, and what goes to and from devices, in the terms of each version', () => {
    const more = {
      diesWhole: true,
      cpuShares: 1024,
      block: { devices: ['8:0', '8:16'], bytesPerSecond: 1000, operationsPerSecond: 10 },
    };
    expect(limitSettings(groupBelow(v2, [], 'pod'), more)).toEqual([
      { path: '/cg/pod/memory.oom.group', text: '1' },
      { path: '/cg/pod/cpu.weight', text: '39' },
      { path: '/cg/pod/io.max', text: '8:0 rbps=1000 wbps=1000 riops=10 wiops=10' },
      { path: '/cg/pod/io.max', text: '8:16 rbps=1000 wbps=1000 riops=10 wiops=10' },
    ]);
    const group = {
      directories: (['cpu', 'blkio'] as const).map((controller) => ({ controller, path: `/${controller}` })),
    };
    const block = { devices: ['8:0'], bytesPerSecond: 1000 };
    expect(limitSettings(group, { cpuShares: 2, block })).toEqual([
      { path: '/cpu/cpu.shares', text: '2' },
      { path: '/blkio/blkio.throttle.read_bps_device', text: '8:0 1000' },
      { path: '/blkio/blkio.throttle.write_bps_device', text: '8:0 1000' },
    ]);
  });

  it('keep memory from being put elsewhere, where the kernel counts that', () => {
    const memory = { memoryBytes: 1024, withoutSwap: true };
    const v1Group = { directories: [{ controller: 'memory', path: '/memory' } as const] };
    expect(limitSettings(groupBelow(v2, [], 'pod'), memory)).toEqual([
      { path: '/cg/pod/memory.max', text: '1024' },
      { path: '/cg/pod/memory.swap.max', text: '0', optional: true },
    ]);
    expect(limitSettings(v1Group, memory)).toEqual([
      { path: '/memory/memory.limit_in_bytes', text: '1024' },
      { path: '/memory/memory.memsw.limit_in_bytes', text: '1024', optional: true },
    ]);
  });

  it('are those of v1 alone where v2 has no controllers', () => {
    const directories = (['unified', 'pids'] as const).map((controller) => ({
      controller,
      path: `/${controller}`,
    }));
    expect(limitSettings({ directories }, limits)).toEqual([{ path: '/pids/pids.max', text: '10' }]);
  });

  it('come down to the least that the kernel takes', () => {
    expect(limitSettings(groupBelow(v2, [], 'pod'), { cpuMillis: 1 })).toEqual([
      { path: '/cg/pod/cpu.max', text: '1000 100000' },
    ]);
  });

  it('are v1 files in one directory for each controller that is there', () => {
    const layout = cgroupLayout(parseMountInfo(v1), parseMemberships(v1Memberships));
    expect(limitSettings(groupBelow(layout, ['memory', 'cpu', 'pids'], 'pod'), limits)).toEqual([
      { path: '/sys/fs/cgroup/memory/user/a:b/pod/memory.limit_in_bytes', text: '1024' },
      { path: '/sys/fs/cgroup/cpu,cpuacct/pod/cpu.cfs_period_us', text: '100000' },
      { path: '/sys/fs/cgroup/cpu,cpuacct/pod/cpu.cfs_quota_us', text: '50000' },
    ]);
  });
});
