import type { AppRecord, PodRecord } from '../stage0/list.ts';
import { printable } from './printable.ts';
import { formatTable } from './table.ts';
import { absoluteTime, relativeTime } from './time.ts';

export interface PodTableStyle {
  readonly full: boolean;
  readonly legend: boolean;
}

/** `sha512-` and twelve digits. */
const SHORT_ID_LENGTH = 19;
const SHORT_UUID_LENGTH = 8;

/** The table of `rkt list`: a row for each app; what belongs to the pod stands in its first row only. */
export function podTable(pods: readonly PodRecord[], style: PodTableStyle): string {
  const rows = pods.flatMap((pod) => podRows(pod, style));
  const table = style.legend ? [legend(style), ...rows] : rows;
  return table.length === 0 ? '\n' : formatTable(table);
}

function legend({ full }: PodTableStyle): string[] {
  const id = full ? ['IMAGE ID'] : [];
  return ['UUID', 'APP', 'IMAGE NAME', ...id, 'STATE', 'CREATED', 'STARTED', 'NETWORKS'];
}

function podRows(pod: PodRecord, style: PodTableStyle): string[][] {
  const time = (nanoseconds: bigint | undefined) =>
    nanoseconds === undefined ? '' : style.full ? absoluteTime(nanoseconds) : relativeTime(nanoseconds);
  const uuid = style.full ? pod.uuid : pod.uuid.slice(0, SHORT_UUID_LENGTH);
  const [first, ...others] = pod.apps;
  return [
    [uuid, ...appCells(first, style), pod.state, time(pod.created), time(pod.started), ''],
    ...others.map((app) => ['', ...appCells(app, style), '', '', '', '']),
  ];
}

function appCells(app: AppRecord | undefined, { full }: PodTableStyle): string[] {
  const id = full ? [app === undefined ? '-' : app.imageId.slice(0, SHORT_ID_LENGTH)] : [];
  return [app?.name ?? '-', printable(app?.imageName ?? '-'), ...id];
}
