/** A pod bounded as a whole by its control group, beyond what every pod is; as its isolators, and those of its apps together, say. */
import type { RunArguments } from '../abi/stage1.ts';
import { type GroupLimits, limitSettings, writeSetting } from '../native/cgroup-limits.ts';
import { readText } from '../native/contents.ts';
import { readdir } from '../native/directories.ts';
import { SystemError } from '../native/errors.ts';
import type { PodCgroup } from './cgroup.ts';
import { SupervisorError } from './error.ts';
import type { PodLimits } from './plan/pod-limits.ts';
import type { Report } from './report.ts';

/** @throws SupervisorError `unsupported` in a pod that is strict, where one cannot be set, or the pod has no group */
export function boundPod(
  cgroup: PodCgroup,
  limits: PodLimits,
  { strictIsolators }: Pick<RunArguments, 'strictIsolators'>,
  report: Report,
): void {
  const problems = wishes(limits).flatMap(([isolator, wanted]) => {
    const problem = problemOf(cgroup, wanted);
    return problem === undefined ? [] : [`pod: ${isolator} could not be set: ${problem}`];
  });
  // It has been said already; and apps may have limits that need groups below this one.
  if (cgroup.kind === 'none') {
    if (strictIsolators) throw new SupervisorError('unsupported', `no cgroup for the pod: ${cgroup.reason}`);
    return;
  }
  if (strictIsolators && problems.length > 0) throw new SupervisorError('unsupported', problems.join('; '));
  for (const problem of problems) report.warn(problem);
}

type BlockRate = 'bytesPerSecond' | 'operationsPerSecond';

/** Each by itself: that one cannot be set is no reason to leave out others. */
function wishes(limits: PodLimits): [string, GroupLimits][] {
  const { memoryBytes, cpuMillis, cpuShares, blockBytesPerSecond, blockOperationsPerSecond } = limits;
  const asked = blockBytesPerSecond !== undefined || blockOperationsPerSecond !== undefined;
  const devices = asked ? blockDevices() : [];
  const block = (isolator: string, rate: number | undefined, unit: BlockRate): [string, GroupLimits][] =>
    // Where there is no device there is nothing to be bounded.
    rate === undefined || devices.length === 0 ? [] : [[isolator, { block: { devices, [unit]: rate } }]];
  return [
    ...wish('resource/memory', memoryBytes, (bytes) => ({ memoryBytes: bytes })),
    ...wish('resource/cpu', cpuMillis, (millis) => ({ cpuMillis: millis })),
    ...wish('os/linux/cpu-shares', cpuShares, (shares) => ({ cpuShares: shares })),
    ...block('resource/block-bandwidth', blockBytesPerSecond, 'bytesPerSecond'),
    ...block('resource/block-iops', blockOperationsPerSecond, 'operationsPerSecond'),
  ];
}

function wish(
  isolator: string,
  value: number | undefined,
  limits: (value: number) => GroupLimits,
): [string, GroupLimits][] {
  return value === undefined ? [] : [[isolator, limits(value)]];
}

function problemOf(cgroup: PodCgroup, limits: GroupLimits): string | undefined {
  if (cgroup.kind === 'none') return cgroup.reason;
  const settings = limitSettings(cgroup.group, limits);
  if (settings.length === 0) return 'the host has no such controller';
  try {
    for (const setting of settings) writeSetting(setting);
    return undefined;
  } catch (error) {
    if (error instanceof SystemError) return error.message;
    throw error;
  }
}

/** `MAJOR:MINOR` of each that has something in it. */
function blockDevices(): string[] {
  return readdir('/sys/block')
    .filter((name) => readText(`/sys/block/${name}/size`).trim() !== '0')
    .map((name) => readText(`/sys/block/${name}/dev`).trim());
}
