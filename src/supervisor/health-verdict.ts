/** What the result of a check makes of an app's health. Pure. */
import type { HealthPlan, HealthState } from '../abi/health.ts';

export interface CheckResult {
  /** Null: it was killed, or could not be started. */
  readonly exitCode: number | null;
  /** The end of what it printed, or why there is none. */
  readonly output: string;
}

/** `upMs`: how long the app had run when the check began; `now` in milliseconds since 1970. */
export function judge(
  plan: HealthPlan,
  before: HealthState,
  { exitCode, output }: CheckResult,
  upMs: number,
  now: number,
): HealthState {
  const check = { checked: now, exitCode, output };
  if (exitCode === 0) return { ...check, status: 'healthy', failures: 0 };
  if (before.status === 'starting' && upMs < plan.startPeriod) return { ...before, ...check };
  const failures = before.failures + 1;
  return { ...check, status: failures >= plan.retries ? 'unhealthy' : before.status, failures };
}
