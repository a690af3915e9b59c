import { dirname, join, relative } from 'node:path';
import { rootDir } from '../../tools/paths.ts';
import { tinyImages } from './images.ts';
import { bootLabVm, type LabVm } from './lab-vm.ts';

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
/** A command of `rkt` in there. */
export const LAB_RKT = [
  ...IN,
  '/node/bin/node',
  '/project/bin/rkt',
  '--dir=/tmp/data',
  '--insecure-options=image',
];

/** Where pods are started, and in which group they come to be. */
type Starter = readonly [string, readonly string[], RegExp];
export const LAB_STARTERS: readonly [Starter, Starter] = [
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

/** Everything is emulated here, the engine that runs rkt included. */
const SECONDS = 280;

export interface LabHost extends Disposable {
  readonly vm: LabVm;
  /** Where the image that everybody runs is. */
  readonly image: string;
  /** Runs `rkt` there, from where a starter has it; of no words, from where commands are. */
  rkt(starter: readonly string[], ...args: readonly string[]): ReturnType<LabVm['run']>;
  /** The control groups of pods, a line each. */
  groups(): Promise<string>;
}

/** A machine with systemd and control groups of v2 that has `rkt`. */
export async function bootLabHost(): Promise<LabHost> {
  const image = join('/project', relative(rootDir, (await tinyImages()).aci.gzip));
  const shares = { usr: '/usr', node: dirname(dirname(process.execPath)), project: rootDir };
  const vm = await bootLabVm({
    memoryMegabytes: 2048,
    shares: Object.entries(shares).map(([tag, directory]) => ({ tag, directory, constant: true })),
  });
  await vm.sh(MAKE_ROOT);
  return {
    vm,
    image,
    rkt: (starter, ...args) =>
      vm.run([...(starter.length === 0 ? [] : ['systemd-run', '--quiet', ...starter]), ...LAB_RKT, ...args], {
        seconds: SECONDS,
      }),
    groups: async () => (await vm.sh("find /sys/fs/cgroup -path '*/rkt-*' -type d")).trim(),
    [Symbol.dispose]: () => vm[Symbol.dispose](),
  };
}
