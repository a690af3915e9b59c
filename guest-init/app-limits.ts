/** What an app may use, set for its group by its own process before it leaves PID 1's root. */
import type { LimitsPlan } from '../src/abi/boot-plan.ts';
import { type GroupLimits, limitSettings, writeSetting } from '../src/native/cgroup-limits.ts';
import type { ControlGroup } from '../src/native/cgroups.ts';
import { allowDevices } from '../src/native/device-access.ts';
import type { GroupEntry } from './app-groups.ts';
import { InitError } from './error.ts';
import type { Trial } from './trial.ts';

const NO_CONTROLLER = 'the pod’s control group has no such controller';

export function setAppLimits(limits: LimitsPlan, entry: GroupEntry | undefined, trial: Trial): void {
  for (const [what, wanted] of wishes(limits))
    trial('limits', what, () => writeLimits(groupFor(entry).group, wanted));
  const { devices } = limits;
  if (devices !== null)
    trial('limits', 'the rules for devices', () => {
      const { group, unified } = groupFor(entry);
      if (!allowDevices(group, unified, devices)) throw new InitError('limits', NO_CONTROLLER);
    });
}

/** Each by itself: that one cannot be set is no reason to leave out others. */
function wishes({ memoryBytes, cpuMillis, cpuShares, processes }: LimitsPlan): [string, GroupLimits][] {
  return [
    ...wish('the limit of memory', memoryBytes, (bytes) => ({
      memoryBytes: bytes,
      withoutSwap: true,
      diesWhole: true,
    })),
    ...wish('the limit of processors', cpuMillis, (millis) => ({ cpuMillis: millis })),
    ...wish('the share of processors', cpuShares, (shares) => ({ cpuShares: shares })),
    ...wish('the limit of processes', processes, (most) => ({ processes: most })),
  ];
}

function wish(
  what: string,
  value: number | null,
  limits: (value: number) => GroupLimits,
): [string, GroupLimits][] {
  return value === null ? [] : [[what, limits(value)]];
}

function groupFor(entry: GroupEntry | undefined): GroupEntry {
  if (entry === undefined) throw new InitError('limits', 'the pod has no control group');
  return entry;
}

function writeLimits(group: ControlGroup, limits: GroupLimits): void {
  const settings = limitSettings(group, limits);
  if (settings.length === 0) throw new InitError('limits', NO_CONTROLLER);
  for (const setting of settings) writeSetting(setting);
}
