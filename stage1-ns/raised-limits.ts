/**
 * Limits of apps that only an administrator of the host may give. PID 1 of a pod with users of its own is none: it is given the highest of
 * them before it has those, and its apps take their own from that. Who may not give them either leaves it to PID 1 to say so.
 */
import type { RlimitPlan } from '../src/abi/boot-plan.ts';
import { type App, findIsolator } from '../src/appc/index.ts';
import { readText, writeControl } from '../src/native/contents.ts';
import { unless } from '../src/native/errors.ts';
import { getLimit, setLimit } from '../src/native/limits.ts';
import type { Step } from '../src/native/spawn-steps.ts';
import { planRlimits } from '../src/supervisor/plan/limits.ts';

const OOM_SCORE = '/proc/self/oom_score_adj';
const REFUSED = ['EPERM', 'EACCES'];

export interface RaisedLimits {
  /** As an administrator of the host. */
  readonly before: readonly Step[];
  /** In the user namespace, where the host's /proc is still seen. */
  readonly after: readonly Step[];
}

export function raisedLimits(apps: readonly Pick<App, 'isolators'>[]): RaisedLimits {
  const rlimits = apps.flatMap(({ isolators }) => planRlimits(isolators));
  const scores = apps.flatMap(({ isolators }) => findIsolator(isolators, 'oom-score-adj')?.value ?? []);
  const lowest = Math.min(0, ...scores);
  const score = lowest < 0 ? scoreSteps(lowest) : { before: [], after: [] };
  return { before: [...highest(rlimits).map(raise), ...score.before], after: score.after };
}

/** By its number, the highest hard limit of each resource. Pure. */
export function highest(rlimits: readonly RlimitPlan[]): [resource: number, hard: number][] {
  const hardest = new Map<number, number>();
  for (const { resource, hard } of rlimits) {
    const value = hard < 0 ? Number.POSITIVE_INFINITY : hard;
    hardest.set(resource, Math.max(hardest.get(resource) ?? 0, value));
  }
  return [...hardest];
}

function raise([resource, wanted]: [number, number]): Step {
  return trying('limits', () => {
    const { soft, hard } = getLimit(resource);
    if (wanted > hard) setLimit(resource, { soft, hard: wanted });
  });
}

/** The lowest score that an administrator has set is how low others may go. */
function scoreSteps(lowest: number): RaisedLimits {
  const own = readText(OOM_SCORE).trim();
  return {
    before: [trying('oom score', () => writeControl(OOM_SCORE, String(lowest)))],
    after: [trying('oom score', () => writeControl(OOM_SCORE, own))],
  };
}

function trying(name: string, action: () => void): Step {
  return { do: 'call', name, action: () => void unless(REFUSED, action) };
}
