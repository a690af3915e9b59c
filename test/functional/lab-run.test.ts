import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bootLabHost, LAB_RKT, LAB_STARTERS } from '../support/lab-host.ts';
import type { LabVm } from '../support/lab-vm.ts';
import { eventually } from '../support/polling.ts';

/** More than a host under load takes for a machine in a machine. */
const SECONDS = 300;

// In campaigns only (vitest.config.ts). A guest of a guest that is emulated itself does not answer in minutes: this looks at the host's side of a pod that starts.
/** With all processes that a pod can have. */
const RUN = ['run', '--net=none', '--rootfs=virtiofs'];

describe('rkt run under systemd and cgroup v2', () => {
  let vm: LabVm;
  let image: string;

  beforeAll(async () => {
    ({ vm, image } = await bootLabHost());
  });

  afterAll(() => {
    vm?.[Symbol.dispose]();
  });

  const groups = async () => (await vm.sh("find /sys/fs/cgroup -path '*/rkt-*' -type d")).trim().split('\n');
  const ending = async (pattern: RegExp) => (await groups()).find((path) => pattern.test(path));
  const namesIn = async (group: string) =>
    (await vm.sh(`for pid in $(cat ${group}/cgroup.procs); do cat /proc/$pid/comm; done`)).trim().split('\n');

  /** The pod's group, once QEMU and virtiofsd are in it. */
  const started = () =>
    eventually(
      'QEMU and virtiofsd run',
      async () => {
        const found = await ending(/\/rkt-[0-9a-f-]{36}$/);
        return found !== undefined && (await namesIn(found)).length === 2 ? found : undefined;
      },
      SECONDS,
    );
  const signalSupervisor = async (group: string, signal: string) => {
    const leaf = join(dirname(group), basename(group).replace('rkt-', 'rkt-supervisor-'));
    await vm.sh(`kill -${signal} $(cat ${leaf}/cgroup.procs)`);
  };
  const nothingLeft = async () => {
    expect(await groups()).toEqual(['']);
    expect(await vm.sh('ls /tmp/host/tmp/data/pods/*')).not.toMatch(/[0-9a-f]{8}-/);
  };

  it.each(LAB_STARTERS)(
    'has QEMU and virtiofsd in a group of their own in %s, and leaves none',
    async (_, starter, place) => {
      const running = vm.run(['systemd-run', '--quiet', ...starter, ...LAB_RKT, ...RUN, image], {
        seconds: SECONDS,
      });
      const group = await started();
      expect(group).toMatch(place);
      expect((await namesIn(group)).sort()).toEqual(['qemu-system-x86', 'virtiofsd']);
      expect(await vm.sh(`cat ${group}/pids.max`)).toBe('512\n');
      await signalSupervisor(group, 'KILL');
      await running;
      const gc = await vm.run([...LAB_RKT, 'gc', '--grace-period=0s']);
      expect(gc.code, gc.stderr).toBe(0);
      await nothingLeft();
    },
  );

  it.each(LAB_STARTERS)('with --rm, leaves nothing of a pod that is stopped in %s', async (_, starter) => {
    const run = [...RUN, '--rm', image];
    const running = vm.run(['systemd-run', '--quiet', ...starter, ...LAB_RKT, ...run], { seconds: SECONDS });
    await signalSupervisor(await started(), 'TERM');
    const { stderr } = await running;
    expect(stderr).not.toContain('not removed');
    await nothingLeft();
  });
});
