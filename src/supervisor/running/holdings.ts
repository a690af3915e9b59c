/** What a supervisor holds from its first step to its last: the pod's lock, and its control group. */
import { LOCK_FD_ENV } from '../../abi/stage1.ts';
import { setCloseOnExec } from '../../native/descriptors.ts';
import { environment } from '../../native/engine.ts';
import { SystemError } from '../../native/errors.ts';
import { type CgroupWishes, makePodCgroup, type PodCgroup, removePodCgroup } from '../cgroup.ts';
import { keepRemoval } from '../ending.ts';
import { SupervisorError } from '../error.ts';
import type { Report } from '../report.ts';

/** A child with the pod's lock could unlock it, or outlive us with it. @throws SupervisorError `bad-pod` */
export function keepLock(): void {
  const fd = Number(environment(LOCK_FD_ENV));
  if (!Number.isSafeInteger(fd) || fd < 3)
    throw new SupervisorError('bad-pod', `${LOCK_FD_ENV} names no open directory`);
  setCloseOnExec(fd, true);
  keepRemoval();
}

export function openCgroup(uuid: string, wishes: CgroupWishes, report: Report): PodCgroup {
  const cgroup = makePodCgroup(uuid, wishes);
  if (cgroup.kind === 'none') report.warn(`the pod runs without a cgroup of its own: ${cgroup.reason}`);
  return cgroup;
}

/** How the pod has ended is said already: what cannot be removed now is recorded, and `gc` does it. */
export function leaveNoCgroup(cgroup: PodCgroup, report: Report): void {
  try {
    removePodCgroup(cgroup);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    report.say(`the pod's control groups are left to gc: ${error.message}`);
  }
}
