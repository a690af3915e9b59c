/** Where this process stands in the cgroup hierarchies of the machine. Pure: out of two texts of /proc. */
import type { MountEntry } from './mount-table.ts';

export interface CgroupPlace {
  /** A controller of v1, or `unified` for the v2 hierarchy. */
  readonly controller: string;
  readonly version: 1 | 2;
  /** The directory of the process's own cgroup. */
  readonly directory: string;
}

/** `hybrid`: controllers on v1, and a v2 hierarchy without any. */
export type CgroupMode = 'v1' | 'hybrid' | 'v2' | 'none';

export interface CgroupLayout {
  readonly mode: CgroupMode;
  readonly places: readonly CgroupPlace[];
}

export interface Membership {
  readonly controllers: readonly string[];
  readonly path: string;
}

/** /proc/PID/cgroup: `ID:CONTROLLERS:PATH`; v2 has no controllers there. */
export function parseMemberships(text: string): Membership[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [, controllers = '', ...path] = line.split(':');
      return { controllers: controllers === '' ? [] : controllers.split(','), path: path.join(':') };
    });
}

/** `mounts` as the process sees them, `memberships` out of /proc/self/cgroup. */
export function cgroupLayout(
  mounts: readonly MountEntry[],
  memberships: readonly Membership[],
): CgroupLayout {
  const places = memberships.flatMap((membership) => placesOf(mounts, membership));
  return { mode: modeOf(places), places };
}

function placesOf(mounts: readonly MountEntry[], { controllers, path }: Membership): CgroupPlace[] {
  if (controllers.length === 0) {
    const mount = mounts.findLast((m) => m.type === 'cgroup2');
    return mount ? [{ controller: 'unified', version: 2, directory: directoryOf(mount, path) }] : [];
  }
  return controllers.flatMap((controller): CgroupPlace[] => {
    const mount = mounts.findLast((m) => m.type === 'cgroup' && m.superOptions.includes(controller));
    return mount ? [{ controller, version: 1, directory: directoryOf(mount, path) }] : [];
  });
}

/** A mount may show a part of the hierarchy only: a container's often begins at the container's own cgroup. */
function directoryOf(mount: MountEntry, path: string): string {
  const root = mount.root === '/' ? '' : mount.root;
  const below = path === root ? '' : path.startsWith(`${root}/`) ? path.slice(root.length) : '';
  return `${mount.target}${below}`.replace(/\/$/, '');
}

function modeOf(places: readonly CgroupPlace[]): CgroupMode {
  const v1 = places.some((place) => place.version === 1 && !place.controller.startsWith('name='));
  const v2 = places.some((place) => place.version === 2);
  if (v1) return v2 ? 'hybrid' : 'v1';
  return v2 ? 'v2' : 'none';
}
