/** What a control group may use: which of its files gets which text, on v1 and on v2. */
import type { ControlGroup, GroupDirectory } from './cgroups.ts';
import { writeControl } from './contents.ts';
import { unless } from './errors.ts';

export interface GroupLimits {
  readonly memoryBytes?: number;
  /** None of it is put elsewhere, where the kernel counts that. */
  readonly withoutSwap?: boolean;
  /** Out of memory, all of its processes die together, where the kernel can do that (v2). */
  readonly diesWhole?: boolean;
  /** Thousandths of a processor. */
  readonly cpuMillis?: number;
  /** 2 to 262144; 1024 is what others have. */
  readonly cpuShares?: number;
  readonly processes?: number;
  /** Of each of some devices, for reading and for writing. */
  readonly block?: BlockLimits;
}

export interface BlockLimits {
  /** `MAJOR:MINOR`. */
  readonly devices: readonly string[];
  readonly bytesPerSecond?: number;
  readonly operationsPerSecond?: number;
}

const PERIOD_MICROSECONDS = 100_000;
const OPTIONAL: readonly string[] = ['memory.memsw.limit_in_bytes', 'memory.swap.max'];
/** The kernel takes no less. */
const LEAST_QUOTA = 1000;

/** One setting: which file gets which text. */
export interface Setting {
  readonly path: string;
  readonly text: string;
  /** Not every kernel has such a file. */
  readonly optional?: true;
}

/** Where a group has directories of v1, that of v2 is there for its processes only: it has no controllers. */
export function limitSettings({ directories }: ControlGroup, limits: GroupLimits): Setting[] {
  const v1 = directories.filter(({ controller }) => controller !== 'unified');
  return (v1.length > 0 ? v1 : directories).flatMap(({ controller, path }) =>
    settingsOf(controller, limits).map(([file, text]) => ({
      ...{ path: `${path}/${file}`, text },
      ...(OPTIONAL.includes(file) ? { optional: true } : {}),
    })),
  );
}

export function setLimits(group: ControlGroup, limits: GroupLimits): void {
  for (const setting of limitSettings(group, limits)) writeSetting(setting);
}

export function writeSetting({ path, text, optional }: Setting): void {
  unless(optional ? ['ENOENT'] : [], () => writeControl(path, text));
}

function settingsOf(
  controller: GroupDirectory['controller'],
  limits: GroupLimits,
): [file: string, text: string][] {
  const { memoryBytes, withoutSwap, diesWhole, cpuMillis, cpuShares, processes, block } = limits;
  const quota =
    cpuMillis === undefined
      ? undefined
      : Math.max(LEAST_QUOTA, Math.round((cpuMillis * PERIOD_MICROSECONDS) / 1000));
  const table: Partial<Record<GroupDirectory['controller'], [string, string | number | undefined][]>> = {
    // Memory and swap together, which are no less than memory.
    memory: [
      ['memory.limit_in_bytes', memoryBytes],
      ['memory.memsw.limit_in_bytes', withoutSwap ? memoryBytes : undefined],
    ],
    cpu: [
      ['cpu.cfs_period_us', quota && PERIOD_MICROSECONDS],
      ['cpu.cfs_quota_us', quota],
      ['cpu.shares', cpuShares],
    ],
    pids: [['pids.max', processes]],
    blkio: block === undefined ? [] : throttlesOf(block),
    unified: [
      ['memory.max', memoryBytes],
      ['memory.swap.max', withoutSwap ? 0 : undefined],
      ['memory.oom.group', diesWhole ? 1 : undefined],
      ['cpu.max', quota && `${quota} ${PERIOD_MICROSECONDS}`],
      ['cpu.weight', cpuShares && weightOf(cpuShares)],
      ['pids.max', processes],
      ...(block === undefined ? [] : block.devices.map((device) => ioMaxOf(device, block))),
    ],
  };
  return (table[controller] ?? []).flatMap(([file, value]) =>
    value === undefined ? [] : [[file, String(value)]],
  );
}

/** v1's 2 to 262144 to v2's 1 to 10000, on a line, as all runtimes do. */
function weightOf(shares: number): number {
  return 1 + Math.floor(((shares - 2) * 9999) / 262_142);
}

function throttlesOf({ devices, bytesPerSecond, operationsPerSecond }: BlockLimits): [string, string][] {
  const wanted = { bps: bytesPerSecond, iops: operationsPerSecond };
  return Object.entries(wanted).flatMap(([unit, most]) =>
    most === undefined
      ? []
      : devices.flatMap((device): [string, string][] =>
          ['read', 'write'].map((way) => [`blkio.throttle.${way}_${unit}_device`, `${device} ${most}`]),
        ),
  );
}

function ioMaxOf(device: string, { bytesPerSecond, operationsPerSecond }: BlockLimits): [string, string] {
  const words = [
    ...(bytesPerSecond === undefined ? [] : [`rbps=${bytesPerSecond}`, `wbps=${bytesPerSecond}`]),
    ...(operationsPerSecond === undefined
      ? []
      : [`riops=${operationsPerSecond}`, `wiops=${operationsPerSecond}`]),
  ];
  return ['io.max', [device, ...words].join(' ')];
}
