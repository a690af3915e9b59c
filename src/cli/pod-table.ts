import type { AppRecord, PodRecord } from '../stage0/list.ts';
import { networksText } from './pod-networks.ts';
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
  // Only where a pod has a name, or is paused: what scripts of rkt's users have cut from the table so far stays where it was.
  const named = pods.some(({ podName }) => podName !== undefined);
  const paused = pods.some(({ isPaused }) => isPaused);
  const columns = { ...style, named, paused };
  const rows = pods.flatMap((pod) => podRows(pod, columns));
  const table = style.legend ? [legend(columns), ...rows] : rows;
  return table.length === 0 ? '\n' : formatTable(table);
}

interface Columns extends PodTableStyle {
  readonly named: boolean;
  readonly paused: boolean;
}

function legend({ full, named, paused }: Columns): string[] {
  const id = full ? ['IMAGE ID'] : [];
  const name = named ? ['NAME'] : [];
  return [
    'UUID',
    'APP',
    'IMAGE NAME',
    ...id,
    'STATE',
    'CREATED',
    'STARTED',
    'NETWORKS',
    ...name,
    ...(paused ? ['PAUSED'] : []),
  ];
}

function podRows(pod: PodRecord, style: Columns): string[][] {
  const time = (nanoseconds: bigint | undefined) =>
    nanoseconds === undefined ? '' : style.full ? absoluteTime(nanoseconds) : relativeTime(nanoseconds);
  const uuid = style.full ? pod.uuid : pod.uuid.slice(0, SHORT_UUID_LENGTH);
  const more = [
    ...(style.named ? [pod.podName ?? ''] : []),
    ...(style.paused ? [pod.isPaused ? 'yes' : ''] : []),
  ];
  const [first, ...others] = pod.apps;
  return [
    [
      uuid,
      ...appCells(first, style),
      pod.state,
      time(pod.created),
      time(pod.started),
      networksText(pod.networks ?? []),
      ...more,
    ],
    ...others.map((app) => ['', ...appCells(app, style), '', '', '', '', ...more.map(() => '')]),
  ];
}

function appCells(app: AppRecord | undefined, { full }: PodTableStyle): string[] {
  const id = full ? [app === undefined ? '-' : app.imageId.slice(0, SHORT_ID_LENGTH)] : [];
  return [app?.name ?? '-', printable(app?.imageName ?? '-'), ...id];
}
