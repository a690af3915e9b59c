/** From what a pod has used up to two points in time to what it uses. Pure. */
import type { AppStatistics } from '../abi/statistics.ts';
import type { PodSample } from './stats.ts';

export interface Usage {
  /** 100 is one processor. Null: not known, or not yet. */
  readonly cpuPercent: number | null;
  readonly cpuMicroseconds: number | null;
  readonly memoryBytes: number | null;
}

export interface AppUsage extends AppStatistics {
  readonly cpuPercent: number | null;
}

export interface PodUsage {
  readonly sample: PodSample;
  readonly apps: readonly AppUsage[];
  /** Of the pod's processes on the host. */
  readonly total: Usage;
  /** What is left of that when what the apps use is taken away: the machine and its devices, the guest's kernel, the supervisor. */
  readonly overhead: Usage;
}

/** `before` is undefined, or another pod's, for one that was not there then. */
export function usageOf(before: PodSample | undefined, sample: PodSample): PodUsage {
  const milliseconds = before === undefined ? 0 : sample.at - before.at;
  const percent = (was: number | null | undefined, is: number | null) =>
    typeof was !== 'number' || is === null || is < was || milliseconds <= 0
      ? null
      : (is - was) / (milliseconds * 10);
  const apps = sample.apps.map((app) => {
    const was = before?.apps.find(({ name }) => name === app.name)?.cpuMicroseconds;
    return { ...app, cpuPercent: percent(was, app.cpuMicroseconds) };
  });
  const cpuMicroseconds = total(sample.processes.map((process) => process.cpuMicroseconds));
  const was = before && total(before.processes.map((process) => process.cpuMicroseconds));
  const used: Usage = {
    cpuPercent: percent(was, cpuMicroseconds),
    cpuMicroseconds,
    memoryBytes: total(sample.processes.map((process) => process.memoryBytes)),
  };
  return sample.appsBeside
    ? { sample, apps, total: together([used, ...apps]), overhead: used }
    : { sample, apps, total: used, overhead: overheadOf(used, apps, sample.guest !== null) };
}

/** What of some is not known is not known of all. */
function together(parts: readonly Usage[]): Usage {
  const sum = (key: keyof Usage) => {
    const known = parts.map((part) => part[key]);
    return known.includes(null) ? null : total(known.map((number) => number ?? 0));
  };
  return {
    cpuPercent: sum('cpuPercent'),
    cpuMicroseconds: sum('cpuMicroseconds'),
    memoryBytes: sum('memoryBytes'),
  };
}

/** A guest counts its time by its own clock, and what it has freed its host may still hold: less than nothing is nothing. */
function overheadOf(used: Usage, apps: readonly AppUsage[], answered: boolean): Usage {
  const rest = (key: keyof Usage) => {
    const parts = apps.map((app) => app[key]);
    const whole = used[key];
    return !answered || whole === null || parts.includes(null)
      ? null
      : Math.max(0, whole - total(parts.map((part) => part ?? 0)));
  };
  return {
    cpuPercent: rest('cpuPercent'),
    cpuMicroseconds: rest('cpuMicroseconds'),
    memoryBytes: rest('memoryBytes'),
  };
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
