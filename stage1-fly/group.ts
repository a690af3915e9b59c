import { ownCgroups } from '../src/native/cgroups.ts';
import type { CgroupWishes } from '../src/supervisor/cgroup.ts';

/**
 * Of the pod's group, which has no limits: it is there so that no process outlives the pod. One hierarchy is enough; where v2 is, also
 * beside v1, it is that one, since a process can begin in a group there.
 */
export function cgroupWishes(): CgroupWishes {
  const { mode, places } = ownCgroups();
  const isHybrid = mode !== 'v2' && places.some(({ version }) => version === 2);
  return { controllers: [isHybrid ? 'unified' : 'pids'], limits: {} };
}
