/** What a process may do, set in the child before its program runs. */

import { decodeBase64 } from '../src/abi/base64.ts';
import type { ProcessPlan, RlimitPlan } from '../src/abi/boot-plan.ts';
import { clearInheritable, dropBoundingSetTo, raisePermitted } from '../src/native/capability-words.ts';
import { writeControl } from '../src/native/contents.ts';
import { hasCode } from '../src/native/errors.ts';
import { getLimit, installSeccomp, limitName, setLimit } from '../src/native/limits.ts';
import { setKeepCapabilities, setNoNewPrivileges } from '../src/native/privileges.ts';
import { chdir, setGroupIds, setGroups, setUserIds, umask } from '../src/native/processes.ts';
import { during } from './error.ts';
import type { Trial } from './trial.ts';

/** Needs PID 1's own /proc, so it comes before the root is entered. */
export function setOomScore({ oomScoreAdj }: ProcessPlan, trial: Trial): void {
  if (oomScoreAdj !== null)
    trial('rlimits', `oom_score_adj ${oomScoreAdj}`, () =>
      writeControl('/proc/self/oom_score_adj', `${oomScoreAdj}`),
    );
}

/**
 * Each step takes away what an earlier one needs: limits may be raised, groups set and the bounding set cut
 * only while the process is root with all capabilities.
 *
 * The outcome is runc's for processes without ambient capabilities. Nothing is inheritable, so exec gives root
 * the bounding set, and others nothing. Until exec the capabilities stay permitted, for the filter's sake.
 */
export function confine(plan: ProcessPlan, trial: Trial): void {
  for (const limit of plan.rlimits)
    trial('rlimits', `the limit ${limitName(limit.resource)}`, () => setAsFarAsAllowed(limit));
  during('groups', () => {
    setGroups(plan.groups);
    setGroupIds(plan.gid);
  });
  during('capabilities', () => dropBoundingSetTo(plan.capabilities));
  during('user', () => {
    setKeepCapabilities(true);
    setUserIds(plan.uid);
  });
  during('capabilities', () => {
    clearInheritable();
    if (plan.noNewPrivileges) setNoNewPrivileges();
  });
  // As the user: root's capabilities would open directories that are closed to the app.
  during('working-directory', () => chdir(plan.workingDirectory));
  umask(plan.umask);
}

/** The very last: from here on even our own system calls are the filter's to allow. */
export function filterSystemCalls({ seccomp, noNewPrivileges }: ProcessPlan): void {
  if (seccomp === null) return;
  during('seccomp', () => {
    // Without no-new-privileges the kernel takes a filter from an administrator only.
    if (!noNewPrivileges) raisePermitted();
    installSeccomp(decodeBase64(seccomp));
  });
}

/** A hard limit is raised with CAP_SYS_RESOURCE only; what may be had without comes before the complaint. */
function setAsFarAsAllowed({ resource, soft, hard }: RlimitPlan): void {
  const wanted = { soft: limitValue(soft), hard: limitValue(hard) };
  try {
    setLimit(resource, wanted);
  } catch (error) {
    if (!hasCode(error, 'EPERM')) throw error;
    const { hard: most } = getLimit(resource);
    setLimit(resource, { soft: Math.min(wanted.soft, most), hard: Math.min(wanted.hard, most) });
    throw error;
  }
}

/** JSON has no infinity: RLIM_INFINITY arrives as -1, or as the nearest that a double comes to 2^64-1. */
function limitValue(value: number): number {
  return value < 0 || value >= 2 ** 63 ? Number.POSITIVE_INFINITY : value;
}
