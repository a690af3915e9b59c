/**
 * Asking systemd for a group that may be divided: a transient scope with delegation (systemd's CGROUP_DELEGATION), in the
 * slice of the caller. By its own tool `busctl`: a client of D-Bus for one call at a pod's start would be more to maintain.
 */
import { monotonicMilliseconds, sleep } from '../native/clock.ts';
import { readText, readTextIfPresent } from '../native/contents.ts';
import { access } from '../native/paths.ts';
import { exists } from '../native/stat.ts';
import { runBounded } from './bounded-run.ts';

/** What a group was limited to, as the text of its control files; absent is unlimited. */
export type LimitFile = 'memory.max' | 'memory.swap.max' | 'pids.max' | 'cpu.max';
export type LimitTexts = { readonly [file in LimitFile]?: string | undefined };

export interface ScopeRequest {
  /** Of the pod, after which the scope is named. */
  readonly uuid: string;
  readonly pid: number;
  readonly slice: string;
  /** Of the groups between the caller and its slice, which the process leaves. */
  readonly limits: readonly LimitTexts[];
}

const BUSCTL = ['/usr/bin/busctl', '/bin/busctl'];
const CALL_SECONDS = 5;
/** For a bus that does not even answer busctl's greeting, which its own timeout does not cover. */
const TOOL_MILLISECONDS = 8_000;
const MOVE_MILLISECONDS = 5_000;
const POLL_MILLISECONDS = 5;
const MICROSECONDS = 1_000_000;

function scopeName(uuid: string): string {
  return `rkt-${uuid}.scope`;
}

/** Moves this process, and no other, into a scope of its own. Why not, if it could not be. */
export function enterScope(request: ScopeRequest): string | undefined {
  const busctl = BUSCTL.find((path) => access(path, 'execute'));
  if (busctl === undefined) return 'busctl, of systemd, is not installed';
  if (!isUnderSystemd()) return 'systemd does not run here';
  const result = runBounded(busctl, scopeArguments(request), TOOL_MILLISECONDS);
  switch (result.kind) {
    case 'late':
      return 'systemd did not answer in time';
    case 'failed':
      return `systemd refuses a scope: ${result.said}`;
    case 'succeeded':
      return awaitMove(scopeName(request.uuid)) ? undefined : 'systemd did not move rkt to a scope in time';
    default:
      return result satisfies never;
  }
}

/**
 * Whether the systemd that would be asked knows this process by the pid that it knows itself by. In a container with
 * the host's bus, the request would move whichever process of the host has that pid.
 */
function isUnderSystemd(): boolean {
  return exists('/run/systemd/system') && readTextIfPresent('/proc/1/comm')?.trim() === 'systemd';
}

function awaitMove(unit: string): boolean {
  const deadline = monotonicMilliseconds() + MOVE_MILLISECONDS;
  while (!readText('/proc/self/cgroup').trimEnd().endsWith(`/${unit}`)) {
    if (monotonicMilliseconds() > deadline) return false;
    sleep(POLL_MILLISECONDS);
  }
  return true;
}

/** What `busctl` is told. Values follow their D-Bus type, and an array's or a structure's its count. */
export function scopeArguments({ uuid, pid, slice, limits }: ScopeRequest): string[] {
  const properties = [
    ['Description', 's', `rkt pod ${uuid}`],
    ['Slice', 's', slice],
    ['PIDs', 'au', '1', String(pid)],
    ['Delegate', 'b', 'true'],
    ['CollectMode', 's', 'inactive-or-failed'],
    ...limitProperties(limits),
  ];
  return [
    ...['--system', '--quiet', `--timeout=${CALL_SECONDS}`, '--allow-interactive-authorization=no'],
    // A slice may begin with a dash.
    ...['--', 'call', 'org.freedesktop.systemd1', '/org/freedesktop/systemd1'],
    ...[
      'org.freedesktop.systemd1.Manager',
      'StartTransientUnit',
      'ssa(sv)a(sa(sv))',
      scopeName(uuid),
      'fail',
    ],
    ...[String(properties.length), ...properties.flat()],
    '0',
  ];
}

/** The innermost slice of a cgroup's path; slices are outermost, and the root of all has no directory of its own. */
export function sliceOf(path: string): string {
  const parts = path.split('/').filter((part) => part !== '');
  const end = parts.findIndex((part) => !part.endsWith('.slice'));
  return (end === -1 ? parts : parts.slice(0, end)).at(-1) ?? '-.slice';
}

const PROPERTIES: Readonly<Record<LimitFile, string>> = {
  'memory.max': 'MemoryMax',
  'memory.swap.max': 'MemorySwapMax',
  'pids.max': 'TasksMax',
  'cpu.max': 'CPUQuotaPerSecUSec',
};
export const LIMIT_FILES: readonly LimitFile[] = ['memory.max', 'memory.swap.max', 'pids.max', 'cpu.max'];

/** The tightest of each, so that the scope, which is beside the groups that the process leaves, is limited as they are. */
function limitProperties(levels: readonly LimitTexts[]): string[][] {
  return LIMIT_FILES.flatMap((file) => {
    const values = levels.map((texts) => amountOf(file, texts[file] ?? 'max')).filter(Number.isSafeInteger);
    return values.length === 0 ? [] : [[PROPERTIES[file], 't', String(Math.min(...values))]];
  });
}

/** No integer where it is unlimited: `max`, or of processor time `max PERIOD`. */
function amountOf(file: LimitFile, text: string): number {
  const [value = '', period] = text.trim().split(' ');
  if (file !== 'cpu.max') return Number(value);
  return Math.floor((Number(value) / Number(period)) * MICROSECONDS);
}
