import type { AppUsage, PodUsage, Usage } from '../stage0/usage.ts';
import { formatBytes } from './byte-size.ts';
import { printable } from './printable.ts';
import { formatTable } from './table.ts';

const SHORT_UUID_LENGTH = 8;
const UNKNOWN = '-';
/** No app has such a name. */
const OVERHEAD = '(overhead)';
/** Of a pod whose apps nobody can tell about: all that it takes. */
const UNTOLD = { starting: '(starting)', running: '(silent)', paused: '(paused)' } as const;
const HEADINGS = ['UUID', 'APP', 'CPU %', 'MEMORY', 'PEAK', 'PIDS', 'READ', 'WRITTEN'];
const INTERFACE_HEADINGS = ['UUID', 'INTERFACE', 'RECEIVED', 'PACKETS', 'SENT', 'PACKETS'];

interface Row {
  readonly cells: readonly string[];
  readonly cpuPercent: number;
}

/** `pods`: each pod's apps in its order, then what the pod takes beside them. `cpu`: those that use the processors most first. */
export type UsageOrder = 'pods' | 'cpu';

/** The table of `rkt stats`, and below it one of the interfaces that have moved anything. */
export function usageTable(pods: readonly PodUsage[], order: UsageOrder): string {
  const rows = pods.flatMap(podRows);
  if (order === 'cpu') rows.sort((a, b) => b.cpuPercent - a.cpuPercent);
  const interfaces = pods.flatMap(interfaceRows);
  return (
    formatTable([HEADINGS, ...rows.map(({ cells }) => cells)]) +
    (interfaces.length === 0 ? '' : `\n${formatTable([INTERFACE_HEADINGS, ...interfaces])}`)
  );
}

function podRows({ sample, apps, total, overhead }: PodUsage): Row[] {
  const uuid = uuidOf(sample.uuid);
  if (sample.guest === null) return [restRow(uuid, UNTOLD[sample.phase], total)];
  return [...apps.map((app) => appRow(uuid, app)), restRow(uuid, OVERHEAD, overhead)];
}

function restRow(uuid: string, what: string, { cpuPercent, memoryBytes }: Usage): Row {
  const rest = [UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN];
  return {
    cells: [uuid, what, percent(cpuPercent), bytes(memoryBytes), ...rest],
    cpuPercent: cpuPercent ?? 0,
  };
}

function appRow(uuid: string, app: AppUsage): Row {
  const { name, cpuPercent, memoryBytes, memoryPeakBytes, tasks, readBytes, writtenBytes } = app;
  const amounts = [bytes(memoryBytes), bytes(memoryPeakBytes)];
  const moved = [bytes(readBytes), bytes(writtenBytes)];
  return {
    cells: [uuid, name, percent(cpuPercent), ...amounts, tasks === null ? UNKNOWN : `${tasks}`, ...moved],
    cpuPercent: cpuPercent ?? 0,
  };
}

function interfaceRows({ sample }: PodUsage): string[][] {
  const used = (sample.guest?.interfaces ?? []).filter(
    ({ receivedPackets, sentPackets }) => receivedPackets + sentPackets > 0,
  );
  return used.map(({ name, receivedBytes, receivedPackets, sentBytes, sentPackets }) => [
    uuidOf(sample.uuid),
    printable(name),
    formatBytes(receivedBytes),
    `${receivedPackets}`,
    formatBytes(sentBytes),
    `${sentPackets}`,
  ]);
}

function uuidOf(uuid: string): string {
  return uuid.slice(0, SHORT_UUID_LENGTH);
}

function percent(value: number | null): string {
  return value === null ? UNKNOWN : value.toFixed(1);
}

function bytes(value: number | null): string {
  return value === null ? UNKNOWN : formatBytes(value);
}
