/** What PID 1 of a pod sees of the host, and what it can do there; as data. Its apps see less: each has a root of its own. */
import { MADE_VOLUMES } from '../src/abi/made-volumes.ts';
import type { CgroupWishes } from '../src/supervisor/cgroup.ts';
import type { KernelEntry, RootEntry } from '../src/supervisor/own-root.ts';
import type { Housing } from '../src/supervisor/plan/plan.ts';
import { SHARE_DIRECTORY } from '../src/supervisor/plan/pod.ts';

/** In the pod's directory: PID 1's program, which the image brings; and a directory that may be hidden by its root. */
const INIT_FILE = 'stage1/rootfs/init';
export const ROOT_PLACE = 'stage1/rootfs/root';

/** In PID 1's root. */
export const INIT = '/init';
const ROOTS = '/pod';

/** So many processes a pod may have, all apps together: what they do with the kernel's numbers others feel. */
const MOST_PROCESSES = 8192;

/** Those of the host's controllers that there are: v1's and v2's, by their names there. */
export const CGROUP: CgroupWishes = {
  controllers: ['memory', 'cpu', 'cpuacct', 'pids', 'io', 'blkio', 'devices', 'freezer', 'unified'],
  limits: { processes: MOST_PROCESSES },
};

export const HOUSING: Housing = {
  ownKernel: false,
  root: (app) => ({ kind: 'directory', path: `${ROOTS}/${app}/rootfs` }),
  shared: (path) => ({ kind: 'directory', path: `${ROOTS}/${path}` }),
  machine: () => null,
};

/** A control group's directory on the host, and where PID 1 has it. */
export interface SharedGroup {
  readonly source: string;
  readonly target: string;
}

const DEVICES = [
  ['null', 1, 3],
  ['zero', 1, 5],
  ['full', 1, 7],
  ['random', 1, 8],
  ['urandom', 1, 9],
  ['tty', 5, 0],
  ['net/tun', 10, 200],
] as const;

const PROC: KernelEntry = { kind: 'proc', target: 'proc', of: 'all' };

/**
 * What of the kernel shows itself to PID 1 of a pod with users of its own, and so to its apps: in a user namespace only who sees a
 * whole /sys may have another.
 */
export const PRIVATE_KERNEL: readonly KernelEntry[] = [PROC, { kind: 'sysfs', target: 'kernel' }];

/** The root that the pod's supervisor makes for that PID 1; `root` is the pod's root on the host. */
export function privateRoot(groups: readonly SharedGroup[], root: number): RootEntry[] {
  const places = PRIVATE_KERNEL.map(({ target }): RootEntry => ({ kind: 'directory', target }));
  return [...places, ...common(groups, root)];
}

export function initRoot(groups: readonly SharedGroup[]): RootEntry[] {
  return [PROC, ...common(groups, 0)];
}

/** Its own program cannot be written to, not even through /proc: the mount is read-only. */
function common(groups: readonly SharedGroup[], root: number): RootEntry[] {
  return [
    { kind: 'bind', target: INIT.slice(1), source: INIT_FILE, of: 'file' },
    ...['dev', 'dev/net', 'dev/shm', MADE_VOLUMES.slice(1)].map(
      (target): RootEntry => ({ kind: 'directory', target }),
    ),
    ...DEVICES.map(
      ([name, major, minor]): RootEntry => ({
        ...{ kind: 'device', target: `dev/${name}`, major, minor, mode: 0o666, uid: root, gid: root },
      }),
    ),
    // What is mounted there later arrives.
    { kind: 'share', target: ROOTS.slice(1), source: SHARE_DIRECTORY },
    ...(groups.length === 0
      ? []
      : ['sys', 'sys/fs', 'sys/fs/cgroup'].map((target): RootEntry => ({ kind: 'directory', target }))),
    ...groups.map(({ source, target }): RootEntry => ({ kind: 'share', target: target.slice(1), source })),
  ];
}
