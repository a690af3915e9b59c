/** From an app's isolators to what PID 1 sets for it. Pure. */
import type { DeviceRule, LimitsPlan, RlimitPlan } from '../../abi/boot-plan.ts';
import {
  findIsolator,
  type Isolator,
  milliUnits,
  type Quantity,
  type ResourceName,
  type RlimitValue,
  wholeUnits,
} from '../../appc/index.ts';
import { resourceNumbers } from '../../native/limits.ts';
import { DEVICE_RULES } from './device-rules.ts';

/** What the kernel takes for a number of processors that no machine has. */
const MOST_CPU_MILLIS = 1_000_000;

/** Those of the pod are the most that an app can have. */
export function planLimits(
  isolators: readonly Isolator[],
  ofPod: readonly Isolator[],
  restrictDevices: boolean,
  devices: readonly DeviceRule[] = [],
): LimitsPlan {
  const limited = (name: ResourceName, count: (amount: Quantity) => number, most: number) => {
    const own = limitOf(isolators, name);
    const pods = limitOf(ofPod, name);
    return own === undefined
      ? null
      : Math.min(count(own), pods === undefined ? most : Math.min(count(pods), most));
  };
  return {
    memoryBytes: limited('resource/memory', wholeUnits, Number.MAX_SAFE_INTEGER),
    cpuMillis: limited('resource/cpu', milliUnits, MOST_CPU_MILLIS),
    cpuShares: findIsolator(isolators, 'cpu-shares')?.value ?? null,
    processes: findIsolator(isolators, 'pids-limit')?.value ?? null,
    devices: restrictDevices ? [...DEVICE_RULES, ...devices] : null,
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
