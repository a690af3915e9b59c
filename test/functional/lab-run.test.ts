import { basename, dirname, join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rootDir } from '../../tools/paths.ts';
import { tinyImages } from '../support/images.ts';
import { bootLabVm, type LabVm } from '../support/lab-vm.ts';
import { eventually } from '../support/polling.ts';

/**
 * A root for `rkt` in the lab: this machine's programs and the project, read-only, on a tmpfs. `run-in` is told what to
 * run in it, in a mount namespace of its own.
 */
const MAKE_ROOT = `
mkdir /tmp/host; mount -t tmpfs tmpfs /tmp/host; cd /tmp/host
mkdir -p usr etc proc sys dev run tmp var old root project node
for name in bin sbin lib lib64; do ln -s usr/$name $name; done
for tag in usr node project; do mount -t virtiofs -o ro $tag $tag; done
cp /etc/passwd /etc/group etc
usr/bin/busybox insmod /build/kernel/*/overlay.ko
cat > run-in <<'END'
cd /tmp/host
for name in proc sys dev run; do mount --rbind /$name $name; done
pivot_root . old; cd /; umount -l /old
exec "$@"
END
`;
const IN = ['unshare', '-m', 'sh', '/tmp/host/run-in'];
const RKT = [...IN, '/node/bin/node', '/project/bin/rkt', '--dir=/tmp/data', '--insecure-options=image'];

/** More than a host under load takes for a machine in a machine. */
const SECONDS = 300;

const STARTERS: readonly [string, readonly string[], RegExp][] = [
  [
    'a scope that others are in',
    ['--scope', '--slice=user-0.slice', 'sh', '-c', '"$@"; true', 'sh'],
    /user-0\.slice\/rkt-[^/]*\.scope\//,
  ],
  [
    'a unit with delegation',
    ['--wait', '--pipe', '--collect', '--unit=lab-pod', '-p', 'Delegate=yes'],
    /system\.slice\/lab-pod\.service\//,
  ],
];

// In campaigns only (vitest.config.ts). A guest of a guest that is emulated itself does not answer in minutes: this looks at the host's side of a pod that starts.
describe('rkt run under systemd and cgroup v2', () => {
  let vm: LabVm;
  let image: string;

  beforeAll(async () => {
    image = join('/project', relative(rootDir, (await tinyImages()).aci.gzip));
    const shares = { usr: '/usr', node: dirname(dirname(process.execPath)), project: rootDir };
    vm = await bootLabVm({
      memoryMegabytes: 2048,
      shares: Object.entries(shares).map(([tag, directory]) => ({ tag, directory, constant: true })),
    });
    await vm.sh(MAKE_ROOT);
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

  it.each(STARTERS)(
    'has QEMU and virtiofsd in a group of their own in %s, and leaves none',
    async (_, starter, place) => {
      const running = vm.run(['systemd-run', '--quiet', ...starter, ...RKT, 'run', '--net=none', image], {
        seconds: SECONDS,
      });
      const group = await started();
      expect(group).toMatch(place);
      expect((await namesIn(group)).sort()).toEqual(['qemu-system-x86', 'virtiofsd']);
      expect(await vm.sh(`cat ${group}/pids.max`)).toBe('512\n');
      await signalSupervisor(group, 'KILL');
      await running;
      const gc = await vm.run([...RKT, 'gc', '--grace-period=0s']);
      expect(gc.code, gc.stderr).toBe(0);
      await nothingLeft();
    },
  );

  it.each(STARTERS)('with --rm, leaves nothing of a pod that is stopped in %s', async (_, starter) => {
    const run = ['run', '--net=none', '--rm', image];
    const running = vm.run(['systemd-run', '--quiet', ...starter, ...RKT, ...run], { seconds: SECONDS });
    await signalSupervisor(await started(), 'TERM');
    const { stderr } = await running;
    expect(stderr).not.toContain('not removed');
    await nothingLeft();
  });
});
