/** What a pod uses of its host, read off the host's kernel. */
import type { GroupStatistics, ProcessStatistics } from '../abi/statistics.ts';
import type { GroupDirectory } from '../native/cgroups.ts';
import { readText, readTextIfPresent } from '../native/contents.ts';
import { unless } from '../native/errors.ts';
import { flatNumbers } from '../native/flat-text.ts';
import type { PodCgroup } from './cgroup.ts';

/** USER_HZ, which the kernel shows times in whatever it counts in. */
const TICKS_PER_SECOND = 100;
const MICROSECONDS_PER_TICK = 1_000_000 / TICKS_PER_SECOND;
/** In /proc/PID/stat, behind the name in parentheses. */
const USER_TIME = 11;
const SYSTEM_TIME = 12;

/** Undefined for a process that has gone. */
export function statisticsOfProcess(name: string, pid: number): ProcessStatistics | undefined {
  return unless(['ENOENT', 'ESRCH'], () => {
    const stat = readText(`/proc/${pid}/stat`);
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = Number(fields[USER_TIME]) + Number(fields[SYSTEM_TIME]);
    return { name, pid, cpuMicroseconds: ticks * MICROSECONDS_PER_TICK, memoryBytes: memoryOf(pid) };
  });
}

/** What it shares with others is counted in parts; a kernel that does not tell these counts it whole. */
function memoryOf(pid: number): number {
  const shares = readTextIfPresent(`/proc/${pid}/smaps_rollup`);
  const kibibytes =
    shares === undefined
      ? flatNumbers(readText(`/proc/${pid}/status`)).get('VmRSS')
      : flatNumbers(shares).get('Pss');
  return (kibibytes ?? 0) * 1024;
}

/** Null where the pod has no group. On v1 a group of the controller that counts processor time is not ours to have. */
export function statisticsOfGroup(cgroup: PodCgroup): GroupStatistics | null {
  if (cgroup.kind === 'none') return null;
  const { directories } = cgroup.group;
  const read = (controller: GroupDirectory['controller'], v1: string, v2: string) =>
    numberIn(directories, controller, v1) ?? numberIn(directories, 'unified', v2);
  const stat = textIn(directories, 'unified', 'cpu.stat');
  return {
    cpuMicroseconds: stat === undefined ? null : (flatNumbers(stat).get('usage_usec') ?? null),
    memoryBytes: read('memory', 'memory.usage_in_bytes', 'memory.current'),
    memoryPeakBytes: read('memory', 'memory.max_usage_in_bytes', 'memory.peak'),
    tasks: read('pids', 'pids.current', 'pids.current'),
  };
}

function numberIn(
  directories: readonly GroupDirectory[],
  controller: GroupDirectory['controller'],
  file: string,
): number | null {
  const text = textIn(directories, controller, file)?.trim();
  return text === undefined || !/^\d+$/.test(text) ? null : Number(text);
}

function textIn(
  directories: readonly GroupDirectory[],
  controller: GroupDirectory['controller'],
  file: string,
): string | undefined {
  const directory = directories.find((candidate) => candidate.controller === controller);
  return directory === undefined ? undefined : readTextIfPresent(`${directory.path}/${file}`);
}
