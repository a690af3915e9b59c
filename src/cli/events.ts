import type { Command } from 'commander';
import {
  EVENT_FILTER_KEYS,
  EVENT_FILTER_VALUES,
  events,
  type PodEvent,
  parseEventFilter,
} from '../stage0/events.ts';
import { openHost } from '../stage0/host.ts';
import { CliError } from './error.ts';
import { Flag, keyed, value } from './flag.ts';
import { formatFlag, jsonText, type OutputFormat } from './format-flag.ts';
import { type GlobalValues, hostOptions } from './global-flags.ts';
import type { JsonValue } from './json.ts';
import { print, warn } from './output.ts';
import { printable } from './printable.ts';
import { subcommand } from './subcommand.ts';

interface Values extends GlobalValues {
  readonly filter?: readonly string[];
  readonly format?: OutputFormat;
  readonly count?: number;
}

export function eventsCommand(summary: string): Command {
  return subcommand('events', summary, [
    new Flag(
      'filter',
      keyed('KEY=VALUE', EVENT_FILTER_KEYS, EVENT_FILTER_VALUES),
      `only events of pods with this ${EVENT_FILTER_KEYS.join(', ')}`,
    ),
    formatFlag(),
    countFlag(),
  ])
    .allowExcessArguments(false)
    .action(async ({ filter = [], format = 'text', count, ...global }: Values) => {
      const isWanted = parseEventFilter(filter);
      const host = openHost(hostOptions(global));
      const end = new AbortController();
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => end.abort());
      let left = count ?? Number.POSITIVE_INFINITY;
      const show = (event: PodEvent) => {
        if (left === 0 || !isWanted(event)) return;
        print(format === 'text' ? eventLine(event) : jsonText(eventJson(event), format));
        left -= 1;
        if (left === 0) end.abort();
      };
      await events(host, { report: show, blind }, end.signal);
    });
}

function blind(): void {
  const reason = "the pods' directories cannot be watched (are any of fs.inotify.max_user_instances left?)";
  warn('events', `${reason}: what comes and goes between two looks may be missed`);
}

/** `2026-01-02T03:04:05.678Z UUID app-exited name=web app=front exit-code=1`. */
function eventLine({ type, time, uuid, pod, app, exitCode, restarts }: PodEvent): string {
  const about = Object.entries({ name: pod?.podName, app, restarts, 'exit-code': exitCode });
  const words = about.flatMap(([key, word]) => (word === undefined ? [] : [`${key}=${word}`]));
  const when = new Date(Number(time / 1_000_000n)).toISOString();
  return `${printable([when, uuid, type, ...words].join(' '))}\n`;
}

/** A line each with `--format=json`; the time in nanoseconds, names as `list` has them. */
function eventJson({ type, time, uuid, pod, app, exitCode, restarts }: PodEvent): JsonValue {
  return {
    time,
    event: type,
    name: uuid,
    pod_name: pod?.podName,
    user_labels: pod?.userLabels,
    app,
    restarts,
    exit_code: exitCode,
  };
}

function countFlag(): Flag {
  const flag = new Flag('count', value('N'), 'end after so many events');
  flag.argParser((text: string) => {
    if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
    throw new CliError('usage', `--count: ${JSON.stringify(text)} is not a number from 1`);
  });
  return flag;
}
