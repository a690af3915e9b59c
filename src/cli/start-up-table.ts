import type { Analysis, Span, SpanName } from '../stage0/analyze.ts';
import type { JsonValue } from './json.ts';
import { formatTable } from './table.ts';

/** What each part of a start is, in words. */
export const MEANINGS: Readonly<Record<SpanName, string>> = {
  command: 'rkt itself: Node, configuration',
  fetch: 'images: found, fetched, verified',
  prepare: "the pod's files",
  wait: 'prepared, and run by nobody yet',
  mount: 'roots mounted, stage1 executed',
  network: "namespaces, CNI plugins of the pod's networks",
  'set-up': 'control group, namespaces, plan of the machine',
  vm: "QEMU and its firmware, up to the kernel's start, or to where a saved machine goes on",
  kernel: "the guest's kernel",
  namespaces: 'namespaces of the host, until PID 1 runs in them',
  init: 'PID 1, until it knows its pod',
  app: 'from there, or the app before, until the app runs',
  ready: 'until the apps are ready',
};

/** `app web`. */
export function spanLabel({ name, app }: Span): string {
  return app === undefined ? name : `${name} ${app}`;
}

export function formatMilliseconds(nanoseconds: bigint): string {
  return `${(Number(nanoseconds) / 1e6).toFixed(1)} ms`;
}

/** A row for each part, and their sum. A wait is shown, and is no part of it. */
export function analysisTable({ spans, work, ran }: Analysis): string {
  const share = (part: bigint) =>
    work === 0n ? '-' : `${((Number(part) / Number(work)) * 100).toFixed(1)} %`;
  const rows = spans.map((span) => [
    spanLabel(span),
    formatMilliseconds(span.start),
    formatMilliseconds(span.duration),
    span.name === 'wait' ? '-' : share(span.duration),
    MEANINGS[span.name],
  ]);
  const total = ['start-up', '', formatMilliseconds(work), share(work), ''];
  const running =
    ran === undefined ? [] : [['running', '', formatMilliseconds(ran), '-', 'until all apps had ended']];
  return formatTable([['PART', 'BEGAN', 'TOOK', 'SHARE', 'WHAT'], ...rows, total, ...running]);
}

/** Times are nanoseconds, from the start of the first command. */
export function analysisJson({ uuid, spans, work, isReady, ran }: Analysis): JsonValue {
  return {
    uuid,
    ready: isReady,
    start_up: work,
    running: ran,
    spans: spans.map(({ name, app, start, duration }) => ({ name, app_name: app, start, duration })),
  };
}
