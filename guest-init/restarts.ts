/** Whether an app is started again when its process has ended, and how long that waits. Pure. */
import { FIRST_RESTART_MS, LONGEST_RESTART_MS, type RestartPlan, STEADY_MS } from '../src/abi/boot-plan.ts';
import type { ExitStatus } from '../src/abi/guest.ts';
import { endsPod } from './policy.ts';

/** What an app's past says about its next start. */
export interface RestartHistory {
  /** How often it has been started again. */
  readonly count: number;
  /** How long the last of these waited. */
  readonly delayMs: number;
}

export const NO_HISTORY: RestartHistory = { count: 0, delayMs: 0 };

/** `ranMs`: how long the process that has ended so had run. Undefined: the app is over. */
export function nextRestart(
  plan: RestartPlan,
  { count, delayMs }: RestartHistory,
  status: ExitStatus,
  ranMs: number,
): RestartHistory | undefined {
  if (!wants(plan, status) || (plan.most !== null && count >= plan.most)) return undefined;
  const afresh = delayMs === 0 || ranMs >= STEADY_MS;
  return { count: count + 1, delayMs: afresh ? FIRST_RESTART_MS : Math.min(2 * delayMs, LONGEST_RESTART_MS) };
}

function wants({ policy }: RestartPlan, status: ExitStatus): boolean {
  switch (policy) {
    case 'no':
      return false;
    case 'on-failure':
      return endsPod(status);
    case 'always':
      return true;
    default:
      return policy satisfies never;
  }
}
