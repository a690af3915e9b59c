import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bootLabHost, LAB_STARTERS, type LabHost } from '../support/lab-host.ts';
import { labModules } from '../support/lab-vm/modules.ts';

const STAGE1 = '--stage1-path=/project/build/stage1-images/stage1-ns.aci';

/** The data directory on a disk that has project quotas, as the machine of the other tests may not know them. */
const MAKE_QUOTAS = `
truncate -s 512M /tmp/host/disk
chroot /tmp/host mkfs.ext4 -q -O quota,project,^has_journal -E quotatype=prjquota /disk
mkdir -p /tmp/host/tmp/data; mount -o loop,prjquota /tmp/host/disk /tmp/host/tmp/data
`;
/** A line for each project: its number, what it has, and what it may have. */
const LIST_QUOTAS = 'sync; chroot /tmp/host debugfs -R "list_quota project" /disk';
/** The machine's own libraries are others. */
const LIBRARIES = '/tmp/host/usr/lib/x86_64-linux-gnu';
const CHATTR = `${LIBRARIES}/ld-linux-x86-64.so.2 --library-path ${LIBRARIES} /tmp/host/usr/bin/chattr`;

// The machine of the other tests may have v1; here there is v2, and systemd.
describe('pods in namespaces under systemd and cgroup v2', () => {
  let host: LabHost;
  beforeAll(async () => {
    host = await bootLabHost();
  });
  afterAll(() => host?.[Symbol.dispose]());

  test.each(LAB_STARTERS)('run in %s: app groups, exit code, nothing left', async (_, starter) => {
    const script = 'cat /proc/self/cgroup; ls /sys/fs/cgroup 2>&1; exit 7';
    const app = [host.image, '--memory=64Mi', '--exec=/bin/sh', '--', '-c', script];
    const { code, stdout, stderr } = await host.rkt(starter, 'run', '--net=none', '--rm', STAGE1, ...app);
    expect(stderr).not.toContain('without a cgroup');
    expect(stdout).toContain('0::/\n');
    if (!starter.includes('sh')) expect(code).toBe(7);
    expect(await host.groups()).toBe('');
    expect(await host.vm.sh('ls /tmp/host/tmp/data/pods/*')).not.toMatch(/[0-9a-f]{8}-/);
  });

  test('limits are of the app’s own group; a pod stands still and goes on', async () => {
    // A unit would end with the command.
    const [[, scope]] = LAB_STARTERS;
    const app = [host.image, '--memory=64Mi', '--exec=/bin/sh', '--', '-c', 'while :; do sleep 0.1; done'];
    const pod = ['run', '--net=none', '--detach', '--pod-name=held', STAGE1, ...app];
    const started = await host.rkt(scope, ...pod);
    expect(started.code, started.stderr).toBe(0);
    const group = (await host.groups()).split('\n').find((path) => path.endsWith('/tiny')) ?? '';
    expect(await host.vm.sh(`cat ${group}/memory.max`)).toBe(`${64 << 20}\n`);
    const run = (...args: readonly string[]) => host.rkt([], ...args);
    expect((await run('pause', 'held')).code).toBe(0);
    expect(await host.vm.sh(`cat ${group}/cgroup.events`)).toContain('frozen 1');
    expect((await run('resume', 'held')).code).toBe(0);
    expect(await host.vm.sh(`cat ${group}/cgroup.events`)).toContain('frozen 0');
    expect((await run('stop', 'held')).code).toBe(0);
    expect((await run('gc', '--grace-period=0s')).code).toBe(0);
    expect(await host.groups()).toBe('');
  });

  test('an app that is out of memory dies as a whole, in a pod whose limits could all be set', async () => {
    const [, [, unit]] = LAB_STARTERS;
    // Who waits is no more than a child of who is killed: one of v1 would go on.
    const script = 'sleep 1000 & x=$(head -c 90000000 /dev/zero | tr "\\0" x); echo had; wait';
    const flags = ['--memory=32Mi', '--cpu=500m', '--cpu-shares=512', '--pids-limit=20'];
    const app = [host.image, ...flags, '--exec=/bin/sh', '--', '-c', script];
    const pod = ['run', '--net=none', '--strict-isolators', '--pod-name=hungry', STAGE1, ...app];
    const { code, stdout, stderr } = await host.rkt(unit, ...pod);
    expect({ code, stdout }, stderr).toEqual({ code: 137, stdout: '' });
    expect(stderr).toBe('run: app tiny: out of memory: processes of it were killed\n');
    const status = await host.rkt([], 'status', 'hungry');
    expect(status.stdout).toContain('app-tiny-oom-killed=true\n');
  });

  test('what goes to block devices is bounded for a pod as a whole: none at first, then one that is there', async () => {
    const [[, scope]] = LAB_STARTERS;
    const app = [host.image, '--exec=/bin/sh', '--', '-c', 'while :; do sleep 0.1; done'];
    const start = async (name: string) => {
      const rates = ['--block-bandwidth=1M', '--block-iops=1500', '--strict-isolators'];
      const pod = ['run', '--net=none', '--detach', `--pod-name=${name}`, ...rates, STAGE1, ...app];
      const { code, stderr } = await host.rkt(scope, ...pod);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      return (await host.groups()).split('\n').find((path) => path.endsWith('/tiny')) ?? '';
    };
    const end = async (name: string) => expect((await host.rkt([], 'stop', name)).code).toBe(0);
    await start('diskless');
    await end('diskless');
    await host.vm.sh(
      `sh ${await labModules(['loop'])}/load && truncate -s 3M /tmp/disk && losetup /dev/loop0 /tmp/disk`,
    );
    const group = await start('bounded');
    expect(await host.vm.sh(`cat ${dirname(group)}/io.max`)).toBe(
      '7:0 rbps=1000000 wbps=1000000 riops=1500 wiops=1500\n',
    );
    // By a process of the app's group, which opens what may not be opened there, before. It takes three seconds, less a slice of the kernel's.
    const read = 'dd of=/dev/null bs=64k iflag=direct <&3';
    const clock = 'cut -d. -f1 /proc/uptime';
    const times = await host.vm.sh(
      `exec 3< /dev/loop0; echo $$ > ${group}/cgroup.procs; ${clock}; ${read}; ${clock}`,
    );
    const [before = 0, after = 0] = times.trim().split('\n').map(Number);
    expect(after - before).toBeGreaterThanOrEqual(2);
    await end('bounded');
    await host.vm.sh('losetup -d /dev/loop0');
  });

  // Its kernel is one that makes no overlay of what is mounted nowhere.
  test('users of a pod’s own have its groups in hand, and set all limits of its apps', async () => {
    const [, [, unit]] = LAB_STARTERS;
    const script = [
      'cut -c 12-21 /proc/self/uid_map; stat -c %u /bin/sh; touch /made; cat /proc/self/cgroup; head -c 1 /dev/zero | wc -c',
      'ulimit -Hn; cat /proc/self/oom_score_adj /proc/1/oom_score_adj',
    ].join('; ');
    const bounds = ['--memory=32Mi', '--cpu=500m', '--cpu-shares=512', '--pids-limit=20'];
    // More than rkt has been given.
    const flags = [...bounds, '--ulimit=nofile=600000:600000', '--oom-score-adj=-500'];
    const app = [host.image, ...flags, '--exec=/bin/sh', '--', '-c', script];
    const own = ['--strict-isolators', '--private-users', '--pod-name=own'];
    const { code, stdout, stderr } = await host.rkt(unit, 'run', '--net=none', ...own, STAGE1, ...app);
    expect({ code, stdout }, stderr).toEqual({
      code: 0,
      stdout: '1879113728\n0\n0::/\n1\n600000\n-500\n0\n',
    });
    expect(stderr).toBe('');
    expect(await host.groups()).toBe('');
    expect(await host.vm.sh('stat -c %u /tmp/host/tmp/data/pods/run/*/overlay/sha*/upper/tiny/made')).toBe(
      '0\n',
    );
    expect((await host.rkt([], 'gc', '--grace-period=0s')).code).toBe(0);
  });

  describe('where the file system has project quotas, empty volumes of a size', () => {
    beforeAll(async () => {
      await host.vm.sh(`sh ${await labModules(['loop', 'quota_v2'])}/load; ${MAKE_QUOTAS}`);
    });
    const size = 'kind=empty,size=8Mi';
    const run = (...args: readonly string[]) => host.rkt([], ...args);
    const app = (script: string) => [host.image, '--exec=/bin/sh', '--', '-c', script];
    const projects = async () =>
      ((await host.vm.sh(LIST_QUOTAS)).match(/^ *[1-9].*$/gm) ?? []).map((line) => line.trim().split(/ +/));
    const loops = async () =>
      (await host.vm.sh('cat /sys/block/loop*/loop/backing_file')).trim().split('\n').length;
    const start = async (name: string, ...flags: readonly string[]) => {
      const volume = [`--volume=v,${size}`, '--mount=volume=v,target=/v'];
      const fill = 'df -k /v | tail -n 1; dd if=/dev/zero of=/v/file bs=1k count=9000';
      const script = `${fill}; rm /v/file; mkdir /v/done; while :; do sleep 0.1; done`;
      const pod = ['--net=none', '--detach', `--pod-name=${name}`, ...flags, ...volume, STAGE1];
      const { code, stdout, stderr } = await host.rkt(LAB_STARTERS[0][1], 'run', ...pod, ...app(script));
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      return `/tmp/host/tmp/data/pods/run/${stdout.trim()}`;
    };

    test('are directories with a quota, of pods with users of their own, which is gone with the pod', async () => {
      const one = await start('one', '--private-users');
      await host.vm.sh(`until test -e ${one}/limitedVolumes/v/done; do sleep 0.2; done`);
      const { stdout } = await run('logs', 'one');
      expect(stdout).toMatch(/^\/dev\/loop0 +8192 +4 +8188 /);
      expect(stdout).toContain("dd: error writing '/v/file': Disk quota exceeded\n8189+0 records in\n");
      expect(await projects()).toEqual([[expect.any(String), '8192', '0', '8192', '2', '0', '2048']]);
      // The pod's root owns it, and does not get it out of its project.
      const processes = `grep -l of=/v/file /proc/[0-9]*/cmdline | cut -d/ -f3`;
      const inPod = `for pid in $(${processes}); do test -d /proc/$pid/root/v/done && echo $pid; done | head -n 1`;
      const leave = `pid=$(${inPod}); nsenter -U -t $pid -S 0 -G 0 ${CHATTR} -p 0 /proc/$pid/root/v`;
      expect((await host.vm.run(['sh', '-c', leave])).stderr).toContain('Invalid argument');
      const other = await start('other', '--private-users');
      expect(new Set((await projects()).map(([project]) => project)).size).toBe(2);
      expect(await loops()).toBe(1);
      const kill = `pid=$(cat $pod/pid); kill -9 $pid; while test -e /proc/$pid; do sleep 0.2; done`;
      await host.vm.sh(`for pod in ${one} ${other}; do ${kill}; done`);
      expect((await run('gc', '--grace-period=0s')).code).toBe(0);
      expect(await projects()).toEqual([]);
    });

    test('are so of an app that has come to the pod, until it goes', async () => {
      const flags = ['--net=none', '--private-users', '--detach', '--pod-name=box', STAGE1];
      expect((await host.rkt(LAB_STARTERS[0][1], 'app', 'sandbox', ...flags)).code).toBe(0);
      const volume = `--mnt-volume=name=v,${size},target=/v`;
      const [image = '', ...more] = app('exit 0');
      expect((await run('app', 'add', 'box', image, '--name=guest', volume, ...more)).stderr).toBe('');
      expect(await projects()).toEqual([[expect.any(String), '4096', '0', '8192', '1', '0', '2048']]);
      expect((await run('app', 'rm', 'box', '--app=guest')).code).toBe(0);
      expect(await projects()).toEqual([]);
      expect((await run('stop', 'box')).code).toBe(0);
    });

    // Root of such a pod could leave its project.
    test('have file systems of their own with the host’s users', async () => {
      await start('plain');
      expect([await loops(), await projects()]).toEqual([2, []]);
      expect((await run('stop', '--force', 'plain')).code).toBe(0);
      expect(await loops()).toBe(1);
    });
  });
});
