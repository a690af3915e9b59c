import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bootLabHost, LAB_STARTERS, type LabHost } from '../support/lab-host.ts';
import { labModules } from '../support/lab-vm/modules.ts';

const STAGE1 = '--stage1-path=/project/build/stage1-images/stage1-ns.aci';

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
});
