import type { Command } from 'commander';
import { openHost } from '../stage0/host.ts';
import { list, type PodRecord } from '../stage0/list.ts';
import { FILTER_KEYS, FILTER_VALUES, parsePodFilter } from '../stage0/pod-filter.ts';
import { CliError } from './error.ts';
import { boolean, Flag, keyed, withLetter } from './flag.ts';
import { formatFlag, jsonText, type OutputFormat } from './format-flag.ts';
import { type GlobalValues, hostOptions } from './global-flags.ts';
import { complain, print } from './output.ts';
import { podJson } from './pod-json.ts';
import { type PodTableStyle, podTable } from './pod-table.ts';
import { subcommand } from './subcommand.ts';

interface Values extends GlobalValues {
  readonly full?: boolean;
  readonly noLegend?: boolean;
  readonly format?: OutputFormat;
  readonly filter?: readonly string[];
  readonly quiet?: boolean;
}

export function listCommand(summary: string): Command {
  return subcommand('list', summary, [
    new Flag('full', boolean, 'whole UUIDs, image ids, absolute times'),
    new Flag('no-legend', boolean, 'no line of column names'),
    formatFlag(),
    new Flag(
      'filter',
      keyed('KEY=VALUE', FILTER_KEYS, FILTER_VALUES),
      `only pods with this ${FILTER_KEYS.join(', ')}`,
    ),
    withLetter('q', new Flag('quiet', boolean, 'print UUIDs alone')),
  ])
    .allowExcessArguments(false)
    .action(({ full = false, noLegend = false, quiet = false, ...values }: Values) => {
      const { format = 'text', filter = [], ...global } = values;
      if (quiet && format !== 'text') throw new CliError('usage', '--quiet and --format exclude each other');
      const isWanted = parsePodFilter(filter);
      const host = openHost(hostOptions(global));
      const { pods, problems } = list(host);
      const wanted = pods.filter(isWanted);
      print(quiet ? uuids(wanted) : render(wanted, format, { full, legend: !noLegend }));
      for (const { uuid, error } of problems)
        complain(`list: pod ${JSON.stringify(uuid)}`, error, host.debug);
    });
}

function uuids(pods: readonly PodRecord[]): string {
  return pods.map(({ uuid }) => `${uuid}\n`).join('');
}

function render(pods: readonly PodRecord[], format: OutputFormat, style: PodTableStyle): string {
  if (format === 'text') return podTable(pods, style);
  return jsonText(pods.length === 0 ? null : pods.map(podJson), format);
}
