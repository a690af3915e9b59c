/** From an app's isolators to what PID 1 sets for it. Pure. */
import type { LimitsPlan, RlimitPlan } from '../../abi/boot-plan.ts';
import {
  findIsolator,
  type Isolator,
  milliUnits,
  type ResourceName,
  type RlimitValue,
  wholeUnits,
} from '../../appc/index.ts';
import { resourceNumbers } from '../../native/limits.ts';
import { DEVICE_RULES } from './device-rules.ts';

/** What the kernel takes for a number of processors that no machine has. */
const MOST_CPU_MILLIS = 1_000_000;

export function planLimits(isolators: readonly Isolator[], restrictDevices: boolean): LimitsPlan {
  const memory = limitOf(isolators, 'resource/memory');
  const cpu = limitOf(isolators, 'resource/cpu');
  return {
    memoryBytes: memory === undefined ? null : wholeUnits(memory),
    cpuMillis: cpu === undefined ? null : Math.min(milliUnits(cpu), MOST_CPU_MILLIS),
    cpuShares: findIsolator(isolators, 'cpu-shares')?.value ?? null,
    processes: findIsolator(isolators, 'pids-limit')?.value ?? null,
    devices: restrictDevices ? DEVICE_RULES : null,
  };
}

/** Of a resource, as the isolator that counts has it. */
export function limitOf(isolators: readonly Isolator[], name: ResourceName) {
  return findIsolator(isolators, 'resource', name)?.value.limit;
}

export function planRlimits(isolators: readonly Isolator[]): RlimitPlan[] {
  const limits = findIsolator(isolators, 'rlimits')?.value ?? {};
  return Object.entries(limits).map(([name, { soft, hard }]) => ({
    resource: resourceNumbers[name as keyof typeof limits],
    soft: amount(soft),
    hard: amount(hard),
  }));
}

/** JSON has no infinity. */
function amount(value: RlimitValue): number {
  return value === 'unlimited' ? -1 : value;
}
