import type { Command } from 'commander';
import { type Host, openHost } from '../stage0/host.ts';
import { CliError } from './error.ts';
import { boolean, Flag, value, withLetter } from './flag.ts';
import { formatFlag, jsonText, type OutputFormat } from './format-flag.ts';
import { type GlobalValues, hostOptions } from './global-flags.ts';
import { interruptible, untilInterrupted } from './interruption.ts';
import { intervalFlag } from './interval-flag.ts';
import { print, warn } from './output.ts';
import { type Round, rounds } from './sampling.ts';
import { requireRoot, subcommand } from './subcommand.ts';
import { usageJson } from './usage-json.ts';
import { usageTable } from './usage-table.ts';
import { UsageView } from './usage-view.ts';
import { uuidArguments } from './uuid-file.ts';

interface Values extends GlobalValues {
  readonly follow?: boolean;
  readonly interval?: number;
  readonly format?: OutputFormat;
  readonly uuidFile?: string;
}

/** Use of the processors is measured over a time; without --follow that is what one waits for. */
const ONCE_MILLISECONDS = 1000;
const FOLLOW_MILLISECONDS = 2000;

export function statsCommand(summary: string): Command {
  return subcommand(
    'stats',
    summary,
    [
      withLetter('f', new Flag('follow', boolean, 'go on until interrupted, or until the pods have ended')),
      intervalFlag('the time that a sample covers (default: 1s; with --follow 2s)'),
      formatFlag(),
      new Flag('uuid-file', value('FILE'), 'read the UUID from a file'),
    ],
    '[UUID...]',
  )
    .argument('[UUID...]')
    .action(async (words: string[], values: Values) => {
      requireRoot();
      const { follow = false, format = 'text', uuidFile } = values;
      const uuids = words.length === 0 && uuidFile === undefined ? [] : uuidArguments(words, uuidFile);
      const host = openHost(hostOptions(values));
      const { interval = follow ? FOLLOW_MILLISECONDS : ONCE_MILLISECONDS } = values;
      if (follow) await untilInterrupted((signal) => goOn(rounds(host, uuids, interval, signal), format));
      else await interruptible((signal) => once(host, uuids, interval, signal, format));
    });
}

async function once(
  host: Host,
  uuids: readonly string[],
  interval: number,
  signal: AbortSignal,
  format: OutputFormat,
): Promise<void> {
  for await (const round of rounds(host, uuids, interval, signal)) {
    print(format === 'text' ? usageTable(round.pods, 'pods') : jsonOf(round, format));
    for (const problem of round.problems) warn('stats', problem);
    if (round.problems.length > 0) throw new CliError('some-failed', 'not all pods tell what they use');
    return;
  }
}

async function goOn(all: AsyncIterable<Round>, format: OutputFormat): Promise<void> {
  using view = new UsageView('stats', 'pods');
  for await (const round of all) {
    if (format === 'text') {
      view.show(round);
    } else {
      print(jsonOf(round, format));
      view.warnOf(round.problems);
    }
  }
}

function jsonOf({ time, pods }: Round, format: 'json' | 'json-pretty'): string {
  return jsonText(usageJson(time, pods), format);
}
